/** A value of a table as text; values that are none are said to be none. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) {
    return 'NULL';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a column of a type holds numbers, which stand right. */
export function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)\b/.test(type);
}
