/** A small picture of its own for each workflow, drawn from its id. */

const SEED_STEP = 16_777_619 // the prime of FNV-1a
const POINTS = 4

export function Glyph({ id }: { id: string }) {
  const random = dice(id)
  const points = Array.from({ length: POINTS }, (_, index) => ({ x: 9 + index * 10, y: 11 + random(3) * 9 }))
  const hue = random(360)
  return (
    <svg
      className="glyph"
      viewBox="0 0 48 40"
      aria-hidden="true"
      style={{ color: `oklch(var(--glyph-light) 0.13 ${hue})` }}
    >
      <path
        d={points.map(({ x, y }, index) => (index === 0 ? `M${x} ${y}` : curve(points[index - 1], { x, y }))).join('')}
      />
      {points.map(({ x, y }) => (
        <circle key={x} cx={x} cy={y} r={3.2} />
      ))}
    </svg>
  )
}

interface Point {
  readonly x: number
  readonly y: number
}

function curve(from: Point | undefined, to: Point): string {
  const middle = ((from?.x ?? 0) + to.x) / 2
  return `C${middle} ${from?.y ?? 0} ${middle} ${to.y} ${to.x} ${to.y}`
}

/** Numbers below a limit, always the same ones for a text. */
function dice(text: string): (limit: number) => number {
  let state = 2_166_136_261
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), SEED_STEP)
  return (limit) => {
    state = Math.imul(state ^ (state >>> 15), SEED_STEP)
    return (state >>> 8) % limit
  }
}
