/** `512 MiB`, `1.5 GiB`. */
export function memory(mib: number): string {
  return mib < 1024 ? `${mib} MiB` : `${trim(mib / 1024)} GiB`;
}

/** `0.5 cores`, `1 core`. */
export function cores(millis: number): string {
  return `${trim(millis / 1000)} ${millis === 1000 ? 'core' : 'cores'}`;
}

export function storage(gib: number): string {
  return gib < 1024 ? `${gib} GiB` : `${trim(gib / 1024)} TiB`;
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}
