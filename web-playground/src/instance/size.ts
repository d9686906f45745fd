/** `512 MiB`, `1.5 GiB`, `1300 MiB`: always exact. */
export function memory(mib: number): string {
  return inLarger(mib, 1024) ? `${mib / 1024} GiB` : `${mib} MiB`;
}

/** `0.25 vCPU`, `2 vCPU`. */
export function cpu(millis: number): string {
  return `${millis / 1000} vCPU`;
}

export function storage(gib: number): string {
  return inLarger(gib, 1024) ? `${gib / 1024} TiB` : `${gib} GiB`;
}

/** Whether the next larger unit has at most two decimals. */
function inLarger(value: number, unit: number): boolean {
  return value >= unit && (value * 100) % unit === 0;
}

/** `41 MiB`, `63.2 GiB`, from a number of bytes as text. */
export function used(bytes: string): string {
  const mib = Number(bytes) / 2 ** 20;
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${Number((mib / 1024).toFixed(1))} GiB`;
}

/** `0 B`, `12 kB`, `1.5 GB`, from a number of bytes as text: rough. */
export function bytes(number: string): string {
  let value = Number(number);
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
