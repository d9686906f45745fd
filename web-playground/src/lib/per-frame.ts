export interface PerFrame {
  schedule(): void;
  cancel(): void;
}

/**
 * Runs `work` once in the next animation frame, however often it is scheduled before: a burst of changes costs one rendering.
 * A hidden page has no frames and renders nothing until it is visible.
 */
export function perFrame(work: () => void): PerFrame {
  let frame: number | undefined;
  return {
    schedule() {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        work();
      });
    },
    cancel() {
      if (frame !== undefined) cancelAnimationFrame(frame);
      frame = undefined;
    },
  };
}
