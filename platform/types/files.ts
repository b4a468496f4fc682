/** A file that is read from its start to its end. */
export interface HostFile {
  /** How many bytes came into `buffer`; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  close(): void;
}

/** Files, as the host gives them. All errors are mapped. */
export interface HostFiles {
  open(path: string | URL): Promise<HostFile>;
}
