/** As long as a section that was closed takes to open. */
const FRAMES = 30;

/** Moves the focus, and with it the view, to the first field in error, as soon as it is rendered and visible. */
export function focusFirstInvalid(form: HTMLElement, frames = FRAMES): void {
  requestAnimationFrame(() => {
    const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
    if (field) {
      field.focus();
      field.scrollIntoView({ block: 'center' });
    }
    if (!(field && field === document.activeElement) && frames > 0) focusFirstInvalid(form, frames - 1);
  });
}
