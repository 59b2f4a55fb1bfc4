// Suggests a slug from a headline or a name, in Django's place: Django's leaves out the vowel signs
// of Hindi, Tamil, Thai and others, and may cut a sign in two. What a slug may hold in the end is in
// newsite/slugs.py.

const suggested = window.URLify;

window.URLify = (text, length, allowUnicode) => {
  if (!allowUnicode) return suggested(text, length, allowUnicode);
  const words = text
    .normalize("NFC")
    .replaceAll("İ", "i") // in lower case, it would be an i with a second dot
    .toLowerCase()
    .replace(/[^-_\p{L}\p{N}\p{Mn}\p{Mc}\s\u200c\u200d]|[\ufe00-\ufe0f]/gu, "")
    // Signs that belong to a letter, where there is none.
    .replace(/(?<![\p{L}\p{M}\p{N}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}])/gu, "")
    .replace(/(?<![\p{L}\p{N}\p{M}\u200c\u200d])\p{M}+/gu, "")
    .trim()
    .replace(/[-\s]+/g, "-");
  return firstSigns(words, length).replace(/-+$/, "");
};

// Cuts between what readers take for signs, of which some are several characters.
function firstSigns(words, length) {
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(words)) {
    if ([...kept, ...segment].length > length) break;
    kept += segment;
  }
  return kept;
}
