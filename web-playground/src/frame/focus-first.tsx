import { type ReactNode, useEffect, useRef } from 'react';

/** Around what a dialog loads after it was opened: its first field gets the focus, as it does in a dialog that is complete at once. */
export function FocusFirst({ children }: { children: ReactNode }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => element.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus(), []);
  return <div ref={element}>{children}</div>;
}
