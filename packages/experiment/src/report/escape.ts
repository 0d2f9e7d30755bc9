/** A text that may stand in HTML, SVG and XML, in content and in quoted attributes. */
export function escaped(text: string): string {
  // Control characters cannot stand in XML at all.
  // eslint-disable-next-line no-control-regex -- these are the ones that XML forbids
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd').replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
