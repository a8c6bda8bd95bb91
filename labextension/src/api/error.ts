/** What the server answers with when an operation fails. */
export interface IErrorBody {
  code: string;
  message: string;
  hint?: string | null;
}

/** A refused or failed operation, as the server explained it. */
export class NuvoError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string
  ) {
    super(message);
    this.name = 'NuvoError';
  }

  /** Read an error answer; anything not in the documented form keeps its HTTP status. */
  static from(status: number, reason: string, body: unknown): NuvoError {
    const told = (body ?? {}) as Partial<IErrorBody>;
    return new NuvoError(
      status,
      told.code ?? 'http_error',
      told.message || reason || `HTTP ${status}`,
      told.hint ?? ''
    );
  }

  /** Anything thrown, as an error with a message for users. */
  static of(error: unknown): NuvoError {
    if (error instanceof NuvoError) {
      return error;
    }
    const message = error instanceof Error ? error.message : String(error);
    return new NuvoError(0, 'unreachable', message, '');
  }
}
