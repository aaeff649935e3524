//! The nearest word of a closed list, for errors that help.

/// The known word that `word` most probably stands for; `None` if nothing is near.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long texts are no misspelling, and comparing them costs the square of their length.
    if word.len() > 64 {
        return None;
    }
    let close = |name: &&str| {
        let distance = strsim::damerau_levenshtein(word, name);
        distance <= 2.min(name.len() / 2) || strsim::jaro_winkler(word, name) >= 0.88
    };
    let similarity = |name: &&str| strsim::jaro_winkler(word, name);
    known.into_iter().filter(close).max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["slots", "payload-size", "policy"];
        assert_eq!(nearest("slot", known), Some("slots"));
        assert_eq!(nearest("payloadsize", known), Some("payload-size"));
        assert_eq!(nearest("polciy", known), Some("policy"));
        assert_eq!(nearest("frobnicate", known), None);
        assert_eq!(nearest(&"s".repeat(100_000), known), None);
    }
}
