//! What a contact comes to behind a window: its stretches, each long enough to count or not.

/// A level from one edge to the next that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) at_ns: u64,
    pub(super) width_ns: u64,
    pub(super) high: bool,
}

/// What a window makes of edges.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Changes of the state: when it began, and to what.
    pub(super) changes: Vec<(u64, bool)>,
    /// What left the state for less than the window.
    pub(super) glitches: Vec<Stretch>,
}

/// Edges in order, from a line that is low. An edge to the level that there is stands for one between that was lost: it
/// begins the stretch anew where that does not count yet.
pub(super) fn behind(edges: &[(u64, bool)], window_ns: u64) -> Behind {
    let mut behind = Behind::default();
    let mut state = false;
    let ends = edges
        .iter()
        .skip(1)
        .map(|(at_ns, high)| (*at_ns, Some(*high)));
    let ends = ends.chain([(u64::MAX, None)]);
    for ((at_ns, high), (end_ns, next)) in edges.iter().zip(ends) {
        let width_ns = end_ns - at_ns;
        let left = *high != state;
        if left && width_ns >= window_ns {
            state = *high;
            behind.changes.push((*at_ns, state));
        } else if left && next.is_some_and(|next| next != *high) {
            behind.glitches.push(Stretch {
                at_ns: *at_ns,
                width_ns,
                high: *high,
            });
        }
    }
    behind
}

/// Since when the first state that is found behind an opening has held: each edge begins it anew until it holds for the
/// window. What changes behind this instant is a change.
pub(super) fn first_state(edges: &[(u64, bool)], opened_ns: u64, window_ns: u64) -> u64 {
    let behind = edges.iter().map(|(at_ns, _)| *at_ns);
    let mut since_ns = opened_ns;
    for at_ns in behind.skip_while(|at_ns| *at_ns <= opened_ns) {
        if at_ns - since_ns >= window_ns {
            break;
        }
        since_ns = at_ns;
    }
    since_ns
}

#[cfg(test)]
mod tests {
    use super::{behind, first_state};

    #[test]
    fn edges_in_the_window_of_an_opening_belong_to_its_first_state() {
        let edges = [
            (90, true),
            (150, false),
            (249, true),
            (349, false),
            (360, true),
        ];
        for (opened_ns, since_ns) in [
            (0, 249),
            (100, 249),
            (150, 249),
            (249, 249),
            (250, 360),
            (400, 400),
        ] {
            assert_eq!(first_state(&edges, opened_ns, 100), since_ns, "{opened_ns}");
        }
        assert_eq!(first_state(&edges, 100, 0), 100);
    }

    /// What is in `planes/io`'s own examples, found another way.
    #[test]
    fn a_stretch_as_long_as_the_window_counts_and_a_shorter_one_is_a_glitch() {
        let check = |edges: &[(u64, bool)], changes: &[(u64, bool)], widths: &[u64]| {
            let found = behind(edges, 100);
            assert_eq!(found.changes, changes, "{edges:?}");
            let glitches: Vec<u64> = found.glitches.iter().map(|one| one.width_ns).collect();
            assert_eq!(glitches, widths, "{edges:?}");
        };
        check(
            &[(500, true), (600, false)],
            &[(500, true), (600, false)],
            &[],
        );
        check(&[(500, true), (599, false)], &[], &[99]);
        check(
            &[(500, true), (510, false), (520, true)],
            &[(520, true)],
            &[10],
        );
        check(&[(500, false)], &[], &[]);
        check(&[(500, true), (550, true)], &[(550, true)], &[]);
        check(
            &[(500, true), (700, true), (710, false)],
            &[(500, true), (710, false)],
            &[],
        );
        check(&[(500, true), (550, true), (560, false)], &[], &[10]);
    }
}
