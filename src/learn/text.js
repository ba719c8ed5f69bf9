// What of a query is read as text by specializers that compare texts, and how it is cut into words.
/** Scripts written without spaces: there each character is a word. The `v` flag allows the set difference. */
const spaceless =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]";
const word = new RegExp(`${spaceless}|[[\\p{L}\\p{N}\\p{M}_]--${spaceless}]{2,}`, "gv");
/** Words of two or more letters or digits, in lower case; in ASCII the same as scikit-learn's default token pattern. */
export function words(text) {
  return text.normalize("NFKC").toLowerCase().match(word) ?? [];
}
/**
 * True where the questions differ between samples and so say something about each. A question that all samples share
 * tells them apart no better than a blank, and would fill the encoder's window.
 */
export function questionsVary(items) {
  return items.some((item) => item.question !== items[0]?.question);
}
/** Input and question, never the options. The question stands first: encoders cut long texts at the end. */
export function readText(item, withQuestion) {
  return withQuestion && item.question ? `${item.question}\n${item.input}` : item.input;
}
/** Equal for texts that differ only in letter case, white space or Unicode form. */
export function sameTextKey(item) {
  return `${item.question ?? ""}\n${item.input}`.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}
