import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISnapshot, ObjectKind } from './api/types';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes for people: `1.4 MB`. */
export function size(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 && power ? 1 : 0 })} ${UNITS[power]}`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
];

/**
 * How long ago something was: `3 minutes ago`.
 *
 * @param time - ISO 8601, UTC.
 * @param now - milliseconds since the epoch.
 * @param language - as in BCP 47; the browser's if omitted.
 */
export function ago(time: string, now: number, language?: string): string {
  const seconds = (now - Date.parse(time)) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of STEPS) {
    if (seconds >= length) {
      return format.format(-Math.floor(seconds / length), unit);
    }
  }
  return format.format(0, 'second');
}

/** A point in time in full, in the given IANA time zone or the browser's. */
export function moment(time: string, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };
  try {
    return new Date(time).toLocaleString(undefined, { ...options, timeZone });
  } catch {
    // A zone this browser does not know.
    return new Date(time).toLocaleString(undefined, options);
  }
}

/** The space part of a reference `[[org/]space/]instance[@snapshot][:path]`. */
export function spaceOf(reference: string): string {
  const names = reference.split(/[@:]/)[0].split('/');
  return names.slice(0, -1).join('/');
}

/** The instance part of a reference, with its space. */
export function instanceOf(reference: string): string {
  return reference.split(/[@:]/)[0];
}

/** What a snapshot is called: its name, or its number. */
export function snapshotTitle(snapshot: ISnapshot, trans: TranslationBundle): string {
  return snapshot.name ?? trans.__('Snapshot %1', snapshot.number);
}

/**
 * A file name as the server writes it in paths: always valid text, bytes that are none as `\xNN`
 * (docs: path text; `nuvo_jupyter/model/paths.py`).
 */
export function pathText(name: string): string {
  return name
    .replace(/\\(?=x[0-9a-f]{2})/g, '\\x5c')
    .replace(/[\udc80-\udcff]/gu, lone => `\\x${(lone.charCodeAt(0) - 0xdc00).toString(16)}`);
}

/** The name a table gets of a file's; none for databases, of which all tables are taken. */
export function tableNameOf(file: string): string {
  return /\.(db|sqlite3?)$/i.test(file) ? '' : file.split('.')[0];
}

/** Where an application's definition lies in its state. */
export function applicationPath(name: string): string {
  return `.nuvo/applications/${name}`;
}

/** The name under which people know the object that a path belongs to. */
export function objectName(kind: ObjectKind | undefined, path: string): string {
  switch (kind) {
    case 'table':
      return path
        .replace(/^tables\//, '')
        .replace(/\.(parquet|sql)$/, '')
        .replace('/', '.');
    case 'application':
      return path.startsWith(applicationPath('')) ? path.split('/')[2] : path;
    default:
      return path;
  }
}
