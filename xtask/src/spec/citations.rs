//! Finds the tests that cite requirements: `//= A4.3` on the lines above a test.

/// A test that says which requirement it proves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Citation {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) test: String,
}

/// All citations of a file, and a line for each that stands above no test.
pub(super) fn scan(path: &str, text: &str) -> (Vec<Citation>, Vec<String>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (place, line) in lines.iter().enumerate() {
        let Some(ids) = line.strip_prefix("//=") else {
            continue;
        };
        let ids = ids.split([',', ' ']).filter(|id| !id.is_empty());
        match test_below(&lines, place) {
            Some(test) => found.extend(ids.map(|id| Citation {
                id: id.to_owned(),
                path: path.to_owned(),
                line: place + 1,
                test: test.to_owned(),
            })),
            None => wrong.push(format!(
                "{path}:{}: `{line}` stands above no test",
                place + 1
            )),
        }
    }
    (found, wrong)
}

/// The name of the test whose attributes and comments the line belongs to.
fn test_below<'a>(lines: &[&'a str], place: usize) -> Option<&'a str> {
    let above = lines
        .get(..place)?
        .iter()
        .rev()
        .take_while(|line| belongs(line));
    let mut is_test = above.into_iter().any(|line| is_test_attribute(line));
    for line in lines.get(place..)? {
        if let Some(name) = function(line) {
            return is_test.then_some(name);
        }
        is_test |= is_test_attribute(line);
        // The macro that holds property tests may stand between a citation and its first test.
        if !belongs(line) && !line.starts_with("proptest!") {
            return None;
        }
    }
    None
}

fn belongs(line: &str) -> bool {
    line.starts_with("#[") || line.starts_with("#![") || line.starts_with("//")
}

fn is_test_attribute(line: &str) -> bool {
    line.starts_with("#[") && (line.contains("[test]") || line.contains("::test"))
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::scan;

    fn cited(text: &str) -> Vec<(String, usize, String)> {
        let (found, wrong) = scan("a.rs", text);
        assert_eq!(wrong, [""; 0]);
        found.into_iter().map(|c| (c.id, c.line, c.test)).collect()
    }

    fn expected(rows: &[(&str, usize, &str)]) -> Vec<(String, usize, String)> {
        rows.iter()
            .map(|(id, line, test)| ((*id).into(), *line, (*test).into()))
            .collect()
    }

    #[test]
    fn several_citations_above_one_test_all_count() {
        let text = "    //= A2.1\n    //= A2.2, R1.1\n    #[test]\n    fn it_holds() {\n";
        assert_eq!(
            cited(text),
            expected(&[
                ("A2.1", 1, "it_holds"),
                ("A2.2", 2, "it_holds"),
                ("R1.1", 2, "it_holds")
            ])
        );
    }

    #[test]
    fn the_attribute_may_stand_above_and_comments_between() {
        let text = "#[test]\n//= U5\n// Why.\n#[expect(x, reason = \"y\")]\nfn a<T>() {\n";
        assert_eq!(cited(text), expected(&[("U5", 2, "a")]));
    }

    #[test]
    fn property_and_async_tests_are_tests() {
        assert_eq!(
            cited("//= A1.1\nproptest! {\n#[test]\nfn p(x in 0..1) {\n"),
            expected(&[("A1.1", 1, "p")])
        );
        assert_eq!(
            cited("//= A1.1\n#[tokio::test]\nasync fn q() {\n"),
            expected(&[("A1.1", 1, "q")])
        );
    }

    #[test]
    fn a_citation_above_anything_else_is_wrong() {
        for text in [
            "//= A1.1\nfn helper() {\n",
            "//= A1.1\n\n#[test]\nfn far() {\n",
            "//= A1.1\nstruct S;\n",
            "//= A1.1\n",
        ] {
            let (found, wrong) = scan("a.rs", text);
            assert_eq!((found.len(), wrong.len()), (0, 1), "{text}");
        }
    }
}
