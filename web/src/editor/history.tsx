/** The past of the workflow: who changed what and when, how it was, and the way back. */

import { useCallback, useEffect, useState } from 'react'
import type { Document, SaveReason, Version } from 'workflow-sync'
import { wordsFor } from '../shared/ask'
import { Avatar } from '../shared/avatar'
import { Prompt } from '../shared/dialog'
import { Icon } from '../shared/icon'
import { Loading } from '../shared/notice'
import { nameOf } from '../shared/people'
import { dayOf, exactly, timeOfDay } from '../shared/time'
import { useToast } from '../shared/toast'
import { type Part, partsOf } from './changes'
import { Diff } from './diff'
import { Drawer } from './drawer'
import { Switch } from './field'
import { eachOf, type Sitting, sittingsOf } from './sittings'
import { useEditor, useSnapshot } from './use-opened'

const REASONS: Readonly<Record<SaveReason, string>> = {
  DEBOUNCED: 'Edited',
  PERIODIC: 'Edited',
  UNLOAD: 'Edited, then left',
  MANUAL: 'Saved',
  IMPORT: 'Imported',
  RESTORE: 'Restored an old version',
  UNDO: 'Took a version back',
  RESOLVE: 'Settled a conflict',
}

/** An old version that is looked at. */
export interface Shown {
  readonly version: Version
  readonly document: Document
  /** What it changed. */
  readonly parts: readonly Part[]
}

interface HistoryProps {
  readonly shown: Shown | null
  readonly onShow: (shown: Shown | null) => void
  readonly onClose: () => void
}

export function History({ shown, onShow, onClose }: HistoryProps) {
  const { versions, error, more, reload } = useVersions()
  const [isEach, setEach] = useState(false)
  const read = useReading()
  const chosen = shown?.version.version ?? null
  const sittings = versions === null ? [] : isEach ? versions.map(eachOf) : sittingsOf(versions)

  const choose = async (sitting: Sitting) => {
    if (isIn(sitting, chosen)) return onShow(null)
    const found = await read(sitting)
    if (found) onShow({ version: sitting.newest, ...found })
  }

  return (
    <Drawer title="History" onClose={onClose} takesFocus>
      {error !== null && <p className="problem">{wordsFor(error)}</p>}
      {versions === null && error === null && <Loading label="Reading the history" />}
      {versions?.length === 0 && <p className="quiet">Nothing was saved yet.</p>}
      {versions !== null && versions.length > 1 && (
        <div className="history-tools">
          <Switch
            label="Each save"
            value={isEach}
            isReadOnly={false}
            onChange={(next) => (setEach(next), onShow(null))}
          />
        </div>
      )}
      {byDay(sittings).map(([day, ofDay]) => (
        <section key={day} className="day" aria-label={day}>
          <h3>{day}</h3>
          <ol>
            {ofDay.map((sitting) => (
              <Entry
                key={sitting.oldest.version}
                sitting={sitting}
                onLabelled={reload}
                onRestored={() => onShow(null)}
                parts={isIn(sitting, chosen) ? (shown?.parts ?? null) : null}
                onChoose={() => void choose(sitting)}
              />
            ))}
          </ol>
        </section>
      ))}
      {more && (
        <button type="button" className="button more" onClick={more}>
          Show older
        </button>
      )}
    </Drawer>
  )
}

function byDay(sittings: readonly Sitting[]): readonly (readonly [string, readonly Sitting[]])[] {
  return [...Map.groupBy(sittings, ({ newest }) => dayOf(newest.savedAt))]
}

interface EntryProps {
  readonly sitting: Sitting
  /** What it changed, where it is looked at. */
  readonly parts: readonly Part[] | null
  readonly onChoose: () => void
  readonly onLabelled: () => void
  readonly onRestored: () => void
}

function Entry({ sitting: { newest, count }, parts, onChoose, onLabelled, onRestored }: EntryProps) {
  const { account } = useEditor()
  const { savedBy, savedAt, reason, label } = newest
  const isChosen = parts !== null
  return (
    <li className="entry" data-chosen={isChosen}>
      <button type="button" className="entry-button" aria-expanded={isChosen} onClick={onChoose}>
        <Avatar id={savedBy} />
        <span className="entry-text">
          <span className="entry-who">{savedBy === account.id ? 'You' : nameOf(savedBy)}</span>
          <span className="entry-why">{count > 1 ? `Edited, saved ${count} times` : REASONS[reason]}</span>
          {label !== null && (
            <span className="label">
              <Icon name="tag" size={13} />
              {label}
            </span>
          )}
        </span>
        <time dateTime={savedAt} title={exactly(savedAt)}>
          {timeOfDay(savedAt)}
        </time>
      </button>
      {isChosen && (
        <div className="entry-more">
          <Diff parts={parts} />
          <EntryActions version={newest} onLabelled={onLabelled} onRestored={onRestored} />
        </div>
      )}
    </li>
  )
}

interface EntryActionsProps {
  readonly version: Version
  readonly onLabelled: () => void
  readonly onRestored: () => void
}

function EntryActions({ version, onLabelled, onRestored }: EntryActionsProps) {
  const { sync } = useEditor()
  const { role, version: current } = useSnapshot()
  const [isNaming, setNaming] = useState(false)
  const restore = useRestore()
  const toast = useToast()
  if (role === 'VIEWER') return null
  const label = async (text: string) => {
    try {
      await sync.history.label(version.version, text)
      onLabelled()
    } catch (error) {
      toast({ text: wordsFor(error), isBad: true })
    }
  }
  return (
    <div className="entry-actions">
      {version.version < current && (
        <button type="button" className="button small primary" onClick={() => void restore(version).then(onRestored)}>
          <Icon name="restore" size={15} /> Restore
        </button>
      )}
      <button type="button" className="button small" onClick={() => setNaming(true)}>
        <Icon name="tag" size={15} /> {version.label === null ? 'Name it' : 'Rename'}
      </button>
      {isNaming && (
        <Prompt
          title="Name this version"
          label="Name"
          value={version.label ?? ''}
          action="Save"
          onDone={(text) => void label(text)}
          onClose={() => setNaming(false)}
        />
      )}
    </div>
  )
}

/** Bring an old version back, with a way out. */
export function useRestore(): (version: Version) => Promise<void> {
  const { sync } = useEditor()
  const toast = useToast()
  const undo = (version: number) => sync.history.undo(version).catch(complain)
  const complain = (error: unknown) => toast({ text: wordsFor(error), isBad: true })
  return async ({ version, savedAt }) => {
    try {
      const { version: now } = await sync.history.restore(version)
      toast({
        text: `The workflow is again as it was at ${timeOfDay(savedAt)}`,
        action: { label: 'Undo', run: () => void undo(now) },
      })
    } catch (error) {
      complain(error)
    }
  }
}

/** Reads how it was after a sitting, and what that changed; null where that fails. */
function useReading(): (sitting: Sitting) => Promise<Omit<Shown, 'version'> | null> {
  const { sync } = useEditor()
  const toast = useToast()
  return async ({ newest, oldest }) => {
    const [from, to] = [oldest.version - 1, newest.version]
    try {
      const [changes, after, before] = await Promise.all([
        sync.history.diff(from, to),
        sync.history.at(to),
        from > 0 ? sync.history.at(from) : {},
      ])
      return { document: after, parts: partsOf(changes, { before, after }) }
    } catch (error) {
      toast({ text: wordsFor(error), isBad: true })
      return null
    }
  }
}

interface Versions {
  readonly versions: readonly Version[] | null
  readonly error: unknown
  readonly more: (() => void) | null
  readonly reload: () => void
}

function isIn({ newest, oldest }: Sitting, version: number | null): boolean {
  return version !== null && version <= newest.version && version >= oldest.version
}

/** Newest first; those that are saved meanwhile come in by themselves. */
function useVersions(): Versions {
  const { sync } = useEditor()
  const { version } = useSnapshot()
  const [versions, setVersions] = useState<readonly Version[] | null>(null)
  const [after, setAfter] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)

  const reload = useCallback(() => {
    if (version === 0) return setVersions([])
    sync.history.list().then((page) => {
      setVersions((before) => [...page.versions, ...olderThan(before ?? [], page.versions)])
      setAfter((before) => before ?? page.after)
      setError(null)
    }, setError)
  }, [sync, version])
  useEffect(reload, [reload])

  const more = () =>
    void sync.history.list(after).then((page) => {
      setVersions((before) => [...(before ?? []), ...page.versions])
      setAfter(page.after ?? '')
    }, setError)
  return { versions, error, more: after ? more : null, reload }
}

function olderThan(versions: readonly Version[], newer: readonly Version[]): readonly Version[] {
  const oldest = newer.at(-1)?.version ?? 0
  return versions.filter(({ version }) => version < oldest)
}
