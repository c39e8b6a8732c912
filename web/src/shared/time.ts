/** Times as people say them, in their own language. */

const MINUTE_S = 60
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', MINUTE_S],
]
const RECENT_DAYS = 7 // after that a date says more

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

/** "5 minutes ago", "yesterday", "12 May 2026". */
export function ago(at: string, now = Date.now()): string {
  const seconds = (now - Date.parse(at)) / 1_000
  if (seconds < MINUTE_S) return 'just now'
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['minute', MINUTE_S]
  const amount = Math.floor(seconds / size)
  return unit === 'day' && amount > RECENT_DAYS ? date.format(new Date(at)) : relative.format(-amount, unit)
}

export function timeOfDay(at: string): string {
  return clock.format(new Date(at))
}

/** Short, and yet exact to the minute. */
export function moment(at: string): string {
  return short.format(new Date(at))
}

export function exactly(at: string): string {
  return exact.format(new Date(at))
}

/** "Today", "Yesterday", or the day's name. */
export function dayOf(at: string, now = new Date()): string {
  const then = new Date(at)
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000)
  const text = days < 2 ? relative.format(-days, 'day') : weekday.format(then)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function midnight(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime()
}
