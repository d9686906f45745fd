export interface PerFrame {
  schedule(): void;
  cancel(): void;
}

/**
 * Runs `work` once in the next frame, however often it is scheduled before: a burst of changes then costs one rendering.
 * A hidden page has no frames and so renders nothing until it is looked at.
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
