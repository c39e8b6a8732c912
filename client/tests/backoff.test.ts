import { describe, expect, it, vi } from 'vitest'
import { backoff } from '../src/backoff.js'

describe('the wait before the next try', () => {
  const longest = (failures: number, retryAfterMs?: number) => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    return backoff(failures, retryAfterMs)
  }

  it('is anything from nothing to a span that doubles with each failure', () => {
    expect([0, 1, 2, 3, 4].map((failures) => longest(failures))).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(backoff(4)).toBe(0)
  })

  it('is never longer than half a minute, however often it failed', () => {
    expect([5, 6, 5_000].map((failures) => longest(failures))).toEqual([30_000, 30_000, 30_000])
  })

  it('begins where the server asked to be left alone until', () => {
    expect(longest(1, 60_000)).toBe(62_000)
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(backoff(1, 60_000)).toBe(60_000)
  })
})
