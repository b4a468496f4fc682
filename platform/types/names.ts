/** An IP address that a name stands for. */
export interface HostLookup {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Names and addresses, as the host looks them up. All errors are mapped. */
export interface HostNames {
  /** The IP addresses of a name, in the order of the system. */
  lookup(hostname: string, family: 0 | 4 | 6): Promise<HostLookup[]>;
  /** The name of an IP address, and that of a port's service. */
  lookupService(
    address: string,
    port: number,
  ): Promise<{ hostname: string; service: string }>;
  /** Whether text is an IP address: 4, 6, or 0 if it is not. */
  isIp(text: string): 0 | 4 | 6;
}
