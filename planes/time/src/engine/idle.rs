//! A daemon that measures the clock and leaves it alone, as chronyd does with `-x`: the frequency that it says it
//! corrects changes, and the one that the kernel corrects by does not.

use crate::limits::IDLE_CHANGES_MIN;

/// The two frequencies over the last looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle {
    kernel_ppt: Option<i64>,
    stated_ppb: Option<i64>,
    /// Changes of what it says since the kernel's changed last.
    changes: u32,
}

impl Idle {
    /// Takes a look. The kernel's is read before the daemon is asked: a change of both may show a look apart.
    pub(super) fn take(&mut self, kernel_ppt: Option<i64>, stated_ppb: i64) {
        let Some(kernel_ppt) = kernel_ppt else {
            *self = Self::default();
            return;
        };
        if self.kernel_ppt.replace(kernel_ppt) != Some(kernel_ppt) {
            self.changes = 0;
        }
        let before = self.stated_ppb.replace(stated_ppb);
        if before.is_some_and(|before| before != stated_ppb) {
            self.changes = self.changes.saturating_add(1);
        }
    }

    /// Whether it is known to leave the clock alone.
    pub(super) const fn is_known(&self) -> bool {
        self.changes >= IDLE_CHANGES_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::Idle;

    /// The kernel's frequency and what the daemon says.
    type Look = (Option<i64>, i64);

    //= A8.5
    #[test]
    fn who_says_another_frequency_and_another_and_moves_none_leaves_the_clock_alone() {
        // The kernel's frequency and what chronyd says, look by look, and whether it is known to be idle then.
        let cases: [(&[Look], bool); 6] = [
            (
                &[(Some(7), 1), (Some(7), 2), (Some(7), 3), (Some(7), 4)],
                true,
            ),
            (
                &[(Some(7), 1), (Some(7), 2), (Some(7), 2), (Some(7), 3)],
                false,
            ),
            // The kernel follows, a look later.
            (
                &[
                    (Some(7), 1),
                    (Some(7), 2),
                    (Some(8), 2),
                    (Some(8), 3),
                    (Some(9), 3),
                    (Some(9), 4),
                ],
                false,
            ),
            // Who left it alone begins to steer.
            (
                &[
                    (Some(7), 1),
                    (Some(7), 2),
                    (Some(7), 3),
                    (Some(7), 4),
                    (Some(8), 4),
                ],
                false,
            ),
            (&[(None, 1), (None, 2), (None, 3), (None, 4)], false),
            (&[], false),
        ];
        for (looks, known) in cases {
            let mut idle = Idle::default();
            for (kernel_ppt, stated_ppb) in looks {
                idle.take(*kernel_ppt, *stated_ppb);
            }
            assert_eq!(idle.is_known(), known, "{looks:?}");
        }
    }
}
