import type { Limits } from '../control-plane/control-plane';

/** Sizes to choose from, within the limits of the server. */
export interface Preset {
  name: string;
  cpuMillis: number;
  memoryMb: number;
}

const SIZES: readonly Preset[] = [
  { name: 'Small', cpuMillis: 500, memoryMb: 512 },
  { name: 'Medium', cpuMillis: 1000, memoryMb: 2048 },
  { name: 'Large', cpuMillis: 4000, memoryMb: 8192 },
];

export function presets({ cpuMillis, memoryMb }: Pick<Limits, 'cpuMillis' | 'memoryMb'>): Preset[] {
  return SIZES.filter((size) => size.cpuMillis >= cpuMillis.min && size.cpuMillis <= cpuMillis.max && size.memoryMb >= memoryMb.min && size.memoryMb <= memoryMb.max);
}

export const CUSTOM = 'Custom';

/** The name of the preset with this size, or that it is another one. */
export function presetOf(all: readonly Preset[], { cpuMillis, memoryMb }: { cpuMillis: number | string; memoryMb: number | string }): string {
  return all.find((size) => size.cpuMillis === cpuMillis && size.memoryMb === memoryMb)?.name ?? CUSTOM;
}
