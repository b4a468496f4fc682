import DefaultTheme from "vitepress/theme";
import type { Theme } from "vitepress";
import "./style.css";

const theme: Theme = DefaultTheme;

export default theme;
