import { readFile } from 'node:fs/promises';

/** Unit of CPU time in Linux, independent of the clock of the kernel. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process since its start, with all its threads. Linux only. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The second field is a name that may hold spaces; the state behind it is field 3, the times are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What a process holds in memory now, and the most it ever held. Linux only. */
export async function memoryOf(pid: number): Promise<{ readonly rssMib: number; readonly peakRssMib: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { rssMib: mib('VmRSS'), peakRssMib: mib('VmHWM') };
}

/** What a process had read from disks since its start, all its threads together. Linux only. */
export async function diskBytesReadBy(pid: number): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'latin1');
  return Number(/^read_bytes: (\d+)/m.exec(io)?.[1]);
}
