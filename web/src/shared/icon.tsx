/** Small pictures, drawn with lines of the text's own colour. */

const PATHS = {
  add: 'M12 5v14M5 12h14',
  alert: 'M12 8v5M12 16.5v.01M10.3 3.9 2.4 17.5A2 2 0 0 0 4.1 20.5h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0Z',
  agent: 'M12 3v3M5 9a3 3 0 0 1 3-3h8a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3H8a3 3 0 0 1-3-3ZM9 11v2M15 11v2M2.5 12v3M21.5 12v3',
  api: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18Z',
  back: 'M15 5l-7 7 7 7',
  block: 'M5 5h14v14H5Z',
  branch:
    'M7 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM17 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.5 7H14a3.5 3.5 0 0 1 0 7h-4a3.5 3.5 0 0 0 0 3h4.5',
  check: 'M5 12.5l4.5 4.5L19 7',
  close: 'M6 6l12 12M18 6 6 18',
  code: 'M8.5 7 3.5 12l5 5M15.5 7l5 5-5 5',
  condition: 'M12 3l9 9-9 9-9-9ZM12 9v3M12 15v.01',
  conflict: 'M7 4v6a5 5 0 0 0 5 5M17 4v6a5 5 0 0 1-5 5v6',
  copy: 'M9 9h10v11H9ZM5 15V4h10',
  device: 'M4 6h16v10H4ZM2 19.5h20',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  duplicate: 'M9 9h10v11H9ZM5 15V4h10',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  history: 'M3.5 12a8.5 8.5 0 1 0 2.5-6M3.5 4v4h4M12 7.5V12l3 2',
  loop: 'M17 3l3 3-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3 3-3M4 18h12a4 4 0 0 0 4-4v-1',
  note: 'M5 4h14v10l-5 6H5ZM14 20v-6h5',
  pencil: 'M4 20l1-4L16.5 4.5l3 3L8 19ZM14 7l3 3',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5',
  play: 'M7 4.5v15l12-7.5Z',
  redo: 'M19 9H9a5 5 0 0 0 0 10h4M15 5l4 4-4 4',
  reply: 'M4 5h16v11H11l-5 4v-4H4Z',
  restore: 'M4 5v5h5M4.5 10A8 8 0 1 1 4 13',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.5 4.5',
  share: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M19 8v6M16 11h6',
  tag: 'M4 4h8l8 8-8 8-8-8ZM8.5 8.5v.01',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  undo: 'M5 9h10a5 5 0 0 1 0 10h-4M9 5 5 9l4 4',
  upload: 'M12 16V5M7 9l5-5 5 5M5 20h14',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" data-name={name} viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
