/**
 * The contrast of an element's text to what is behind it, as WCAG reckons it. It
 * is run in the page, so it uses nothing from outside.
 */
export function contrastOf(element: Element): number {
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = color.match(/[\d.]+/g)!.map(Number)
      .map((part) => part / 255)
      .map((part) =>
        part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind: Element = element;
  const back = (each: Element) => getComputedStyle(each).backgroundColor;
  while (back(behind) === "rgba(0, 0, 0, 0)" && behind.parentElement) {
    behind = behind.parentElement;
  }
  const one = luminance(getComputedStyle(element).color);
  const two = luminance(back(behind));
  return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
}
