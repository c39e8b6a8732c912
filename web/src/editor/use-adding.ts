/** Adding blocks: where somebody asked for one, else after the selected one, else in the middle of what is seen. */

import { useReactFlow, type XYPosition } from '@xyflow/react'
import { useEffect, useRef, useState } from 'react'
import type { Kind } from './kinds'
import type { Actions } from './use-actions'

const CORNER = { x: 120, y: 40 } // from the middle of a block
const NEXT_X = 300 // from a block to the one after it

export interface Adding {
  readonly isAdding: boolean
  readonly setAdding: (isAdding: boolean) => void
  readonly add: (kind: Kind) => void
  /** Ask which kind it shall be at a place on the screen. */
  readonly addAt: (at: { clientX: number; clientY: number }) => void
  /** The block whose name is to be written at once. */
  readonly asked: string | null
  readonly setAsked: (id: string | null) => void
}

export function useAdding(
  actions: Actions,
  selected: readonly string[],
  select: (ids: readonly string[]) => void,
): Adding {
  const { screenToFlowPosition, getInternalNode } = useReactFlow()
  const [isAdding, setAdding] = useState(false)
  const [asked, setAsked] = useState<string | null>(null)
  const place = useRef<XYPosition | null>(null)
  useEffect(() => {
    if (!isAdding) place.current = null
  }, [isAdding])
  const add = (kind: Kind) => {
    const before = selected.length === 1 ? getInternalNode(selected[0] ?? '')?.internals.positionAbsolute : undefined
    const middle = place.current ?? screenToFlowPosition(middleOfCanvas())
    const isAfter = place.current === null && before !== undefined
    const at = isAfter ? { x: before.x + NEXT_X, y: before.y } : { x: middle.x - CORNER.x, y: middle.y - CORNER.y }
    const id = actions.add(kind, at)
    setAsked(id)
    select([id])
    setAdding(false)
  }
  const addAt = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    place.current = screenToFlowPosition({ x: clientX, y: clientY })
    setAdding(true)
  }
  return { asked, setAsked, isAdding, setAdding, add, addAt }
}

function middleOfCanvas(): XYPosition {
  const { left, top, width, height } = document.querySelector('.canvas')?.getBoundingClientRect() ?? new DOMRect()
  return { x: left + width / 2, y: top + height / 2 }
}
