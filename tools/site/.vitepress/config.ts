/** How the site looks, and where its parts are. */
import { type DefaultTheme, defineConfig, type UserConfig } from "vitepress";
import { slugify } from "../../../scripts/_site_markdown.ts";

const sidebar: DefaultTheme.SidebarMulti = JSON.parse(
  await Deno.readTextFile(
    new URL("../.pages/sidebars.json", import.meta.url),
  ),
);

/** Two tasks that take turns. */
const ICON = encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">` +
    `<g fill="none" stroke="#3451b2" stroke-width="2.5">` +
    `<path d="M1 5h5m4 0h5M1 11h2m4 0h5"/></g></svg>`,
);

const config: UserConfig = defineConfig({
  srcDir: ".pages",
  outDir: "../../site",
  cacheDir: ".pages/.cache",
  base: Deno.env.get("SITE_BASE") ?? "/",
  title: "asyncio",
  description: "Python's asyncio for TypeScript",
  lang: "en",
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${ICON}` }]],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    anchor: { slugify },
    headers: { slugify },
  },
  vite: {
    // A reader of the log can do nothing about the size of the search index.
    build: { chunkSizeWarningLimit: 4096 },
    // Deno finds no package that only another package names.
    ssr: {
      noExternal: [
        "@vueuse/core",
        "@vueuse/integrations",
        "@vueuse/shared",
        "focus-trap",
        "mark.js",
        "minisearch",
      ],
    },
  },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions: {
            // The page of a name comes before those that speak of it.
            boost: { title: 8, titles: 2, text: 1 },
            boostDocument: (id: string) => /^\/api\/.*\.html$/.test(id) ? 2 : 1,
          },
        },
      },
    },
    nav: [
      { text: "Guides", link: "/docs/", activeMatch: "^/docs/" },
      { text: "Reference", link: "/api/", activeMatch: "^/api/" },
      { text: "Examples", link: "/examples/", activeMatch: "^/examples/" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    sidebar,
    outline: { level: [2, 3] },
    docFooter: { prev: "Before", next: "Next" },
  },
});

export default config;
