//! As much XML as the corpus has: elements with text, two levels deep.

use std::path::Path;

/// One element of the second level, with the texts of those in it.
#[derive(Debug)]
pub(crate) struct Element {
    /// Its `id`.
    pub(crate) id: Option<String>,
    texts: Vec<(String, String)>,
}

impl Element {
    /// The text of the element of this name; `None` where it is empty or absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.texts
            .iter()
            .find(|(known, text)| known == name && !text.is_empty())
            .map(|(_, text)| text.clone())
    }
}

/// The meter's own element, and one for each record.
pub(crate) fn read(path: &Path) -> (Element, Vec<Element>) {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let mut elements: Vec<Element> = Vec::new();
    for piece in text.split('<').skip(1) {
        let (tag, content) = piece.split_once('>').unwrap();
        match tag.split_once(' ').unwrap_or((tag, "")) {
            ("SlaveInformation" | "DataRecord", attributes) => elements.push(Element {
                id: attributes.split('"').nth(1).map(Into::into),
                texts: Vec::new(),
            }),
            (name, _) if !name.starts_with(['/', '?']) => {
                if let Some(element) = elements.last_mut() {
                    let text = content.trim().replace("&amp;", "&");
                    element.texts.push((name.to_string(), text));
                }
            }
            _ => {}
        }
    }
    let slave = elements.remove(0);
    (slave, elements)
}
