//! The bound over time, in as many points as a drawing can use.

use super::model::Point;

/// Points kept; when there are more, neighbours become one, and the wider bound stays.
pub(super) const POINTS_MAX: usize = 16_384;
/// A bound that differs from the last point by less than one part in so many is not a new point.
const ALIKE_PARTS: u64 = 32;

/// Collects points.
#[derive(Clone, Debug, Default)]
pub(super) struct Points {
    kept: Vec<Point>,
    /// The newest one that was passed over, which becomes a point when the bound changes.
    passed: Option<Point>,
}

impl Points {
    /// Takes a bound in; `fresh` says that a new stretch begins with it.
    pub(super) fn take(&mut self, point: Point, fresh: bool) {
        let alike = self.kept.last().is_some_and(|last| alike(last, &point));
        if alike && !fresh {
            self.passed = Some(point);
            return;
        }
        let passed = self.passed.take();
        self.kept.extend(passed);
        self.kept.push(point);
        if self.kept.len() > POINTS_MAX {
            self.thin();
        }
    }

    /// All points, the newest included.
    pub(super) fn all(&self) -> Vec<Point> {
        self.kept.iter().chain(&self.passed).copied().collect()
    }

    fn thin(&mut self) {
        let wider = |pair: &[Point]| {
            let known = pair.iter().filter(|point| point.bound_ns.is_some());
            known
                .max_by_key(|point| point.bound_ns)
                .or(pair.first())
                .copied()
        };
        self.kept = self.kept.chunks(2).filter_map(wider).collect();
    }
}

fn alike(one: &Point, other: &Point) -> bool {
    match (one.bound_ns, other.bound_ns) {
        (None, None) => true,
        (Some(a), Some(b)) => a.abs_diff(b) <= a / ALIKE_PARTS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{POINTS_MAX, Point, Points};
    use evidence::UtcNs;

    fn point(at: u64, bound_ns: Option<u64>) -> Point {
        Point {
            utc: UtcNs(i64::try_from(at).unwrap()),
            bound_ns,
        }
    }

    #[test]
    fn a_steady_bound_is_two_points_and_a_change_keeps_its_edges() {
        let mut points = Points::default();
        for at in 0..100 {
            points.take(point(at, Some(1_000)), false);
        }
        points.take(point(100, Some(2_000)), false);
        let all: Vec<_> = points.all().iter().map(|one| one.utc.0).collect();
        assert_eq!(all, [0, 99, 100]);
    }

    #[test]
    fn points_stay_few_and_the_widest_bound_stays() {
        let mut points = Points::default();
        let many = u64::try_from(POINTS_MAX * 5).unwrap();
        for at in 0..many {
            let bound_ns = if at == 777 {
                1_000_000
            } else {
                1 + at % 2 * 10
            };
            points.take(point(at, Some(bound_ns)), false);
        }
        let all = points.all();
        assert!(all.len() <= POINTS_MAX + 1);
        assert!(all.iter().any(|one| one.bound_ns == Some(1_000_000)));
        assert!(all.is_sorted_by_key(|one| one.utc));
    }
}
