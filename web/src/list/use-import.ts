/** Files that become workflows; the workflow is opened where it was one. */

import { wordsFor } from '../shared/ask'
import { readWorkflow } from '../shared/file'
import { go, workflowAt } from '../shared/route'
import { useToast } from '../shared/toast'
import type { Workflows } from './workflows'

interface Taken {
  readonly id: string
  readonly name: string
}

export function useImport(workflows: Workflows): (files: readonly File[]) => Promise<void> {
  const toast = useToast()
  const take = async (file: File): Promise<Taken | null> => {
    try {
      const { name, document } = await readWorkflow(file)
      const id = crypto.randomUUID()
      await workflows.create(id, name, document)
      return { id, name }
    } catch (error) {
      toast({ text: `${file.name}: ${wordsFor(error)}`, isBad: true })
      return null
    }
  }
  return async (files) => {
    const taken = (await Promise.all(files.map(take))).filter((imported) => imported !== null)
    const [only] = taken
    if (files.length === 1 && only) go(workflowAt(only.id))
    else if (only) toast({ text: `Imported ${taken.map(({ name }) => name).join(', ')}` })
  }
}
