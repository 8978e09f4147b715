//! What does not add up, in sentences; bounded, with a count of the rest.

/// Findings that are kept in words.
const FINDINGS_MAX: usize = 100;

/// A bounded list of findings.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    texts: Vec<String>,
    more: u64,
}

impl Findings {
    /// Adds a sentence.
    pub fn add(&mut self, text: String) {
        if self.texts.len() < FINDINGS_MAX {
            self.texts.push(text);
        } else {
            self.more += 1;
        }
    }

    /// Adds all of another list.
    pub fn append(&mut self, other: &Self) {
        for text in &other.texts {
            self.add(text.clone());
        }
        self.more += other.more;
    }

    /// Whether everything adds up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// All that is kept, and how many are not.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.texts.iter().cloned().chain(more).collect()
    }
}
