/** A page of the site, before the generator has it. */
export interface Page {
  /** Its path from the root of the site, without `.md`. */
  readonly path: string;
  /** Markdown. */
  readonly text: string;
}

/** An item of the list of pages beside each page. */
export interface SidebarItem {
  readonly text: string;
  readonly link?: string;
  readonly collapsed?: boolean;
  readonly items?: readonly SidebarItem[];
}
