/** Control and formatting characters: they move cursors, change colours, or show text in another order than it is read. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text from elsewhere as one harmless line: what could steer a terminal is shown as a replacement character. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD');
}
