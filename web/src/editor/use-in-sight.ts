/** Keeps a block in sight when the panel about it opens beside or over the canvas. */

import { useReactFlow } from '@xyflow/react'
import { useEffect } from 'react'

const PAN_MS = 200
const STILL = '(prefers-reduced-motion: reduce)'
const MARGIN = 16 // pixels around the block

export function useInSight(id: string | null): void {
  const { getInternalNode, flowToScreenPosition, getViewport, setViewport } = useReactFlow()
  useEffect(() => {
    const node = id === null ? undefined : getInternalNode(id)
    const seen = seenPart()
    if (!node || !seen) return
    const { width = 0, height = 0 } = node.measured
    const { x, y } = flowToScreenPosition(node.internals.positionAbsolute)
    const { zoom, ...at } = getViewport()
    const block = new DOMRect(x, y, width * zoom, height * zoom)
    const [right, down] = [
      off(block.left, block.right, seen.left, seen.right),
      off(block.top, block.bottom, seen.top, seen.bottom),
    ]
    if (right || down)
      void setViewport({ x: at.x + right, y: at.y + down, zoom }, { duration: matchMedia(STILL).matches ? 0 : PAN_MS })
  }, [id, getInternalNode, flowToScreenPosition, getViewport, setViewport])
}

/** The canvas, without what a sheet covers. */
function seenPart(): DOMRect | null {
  const canvas = document.querySelector('.canvas')?.getBoundingClientRect()
  const drawer = document.querySelector('.drawer')?.getBoundingClientRect()
  if (!canvas) return null
  const bottom = drawer && drawer.left < canvas.right ? drawer.top : canvas.bottom
  return new DOMRect(canvas.left, canvas.top, canvas.width, bottom - canvas.top)
}

/** How far something is to be moved so that it lies between two borders; none where it does. */
function off(from: number, to: number, least: number, most: number): number {
  if (from >= least + MARGIN && to <= most - MARGIN) return 0
  return (least + most) / 2 - (from + to) / 2
}
