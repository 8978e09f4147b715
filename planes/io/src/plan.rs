//! A meter's points in the fewest read requests.

use crate::limits::{GAP_BITS_MAX, GAP_REGISTERS_MAX};
use alloc::vec::Vec;
use contract::{Point, Table};
use modbus::limits::{READ_BITS_MAX, READ_REGISTERS_MAX};
use modbus::pdu::{BitSpan, PduError, RegisterSpan, Request};

/// Whether one read may run over registers nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// Small ones, to save requests.
    Bridged,
    /// None: the meter refuses addresses it does not have.
    Kept,
}

/// One request of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRead {
    /// What is asked.
    pub request: Request,
    /// The points it covers, as places in the meter's list.
    pub points: Vec<usize>,
    /// It runs over addresses that no point names.
    pub bridges: bool,
}

/// The requests of one read session, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The requests.
    pub reads: Vec<PlannedRead>,
}

/// A run of addresses under construction.
struct Run {
    table: Table,
    first: u32,
    end: u32,
    points: Vec<usize>,
    bridges: bool,
}

impl Run {
    fn close(self) -> Result<PlannedRead, PduError> {
        let address = u16::try_from(self.first).unwrap_or(u16::MAX);
        let count = u16::try_from(self.end - self.first).unwrap_or(u16::MAX);
        let request = match self.table {
            Table::Coil => Request::ReadCoils(BitSpan::new(address, count)?),
            Table::Discrete => Request::ReadDiscreteInputs(BitSpan::new(address, count)?),
            Table::Holding => Request::ReadHoldingRegisters(RegisterSpan::new(address, count)?),
            Table::Input => Request::ReadInputRegisters(RegisterSpan::new(address, count)?),
        };
        Ok(PlannedRead {
            request,
            points: self.points,
            bridges: self.bridges,
        })
    }
}

const fn bounds(table: Table) -> (u16, u16) {
    match table {
        Table::Coil | Table::Discrete => (READ_BITS_MAX, GAP_BITS_MAX),
        Table::Holding | Table::Input => (READ_REGISTERS_MAX, GAP_REGISTERS_MAX),
    }
}

impl Plan {
    /// Groups points: same table, near each other, within what one read may carry. A point is never
    /// split over two requests.
    ///
    /// # Errors
    /// A point runs past the last address.
    pub fn new(points: &[Point], gaps: Gaps) -> Result<Self, PduError> {
        let mut order: Vec<usize> = (0..points.len()).collect();
        let register = |at: usize| points.get(at).and_then(Point::register);
        order.sort_by_key(|at| register(*at).map(|point| (point.table, point.address)));
        let mut reads = Vec::new();
        let mut open: Option<Run> = None;
        for at in order {
            let Some(point) = register(at) else {
                continue;
            };
            let first = u32::from(point.address);
            let end = first + u32::from(point.width());
            let (most, widest) = bounds(point.table);
            let gap = match gaps {
                Gaps::Bridged => u32::from(widest),
                Gaps::Kept => 0,
            };
            match &mut open {
                Some(run)
                    if run.table == point.table
                        && first <= run.end + gap
                        && end.max(run.end) - run.first <= u32::from(most) =>
                {
                    run.bridges |= first > run.end;
                    run.end = run.end.max(end);
                    run.points.push(at);
                }
                _ => {
                    let run = Run {
                        table: point.table,
                        first,
                        end,
                        points: Vec::from([at]),
                        bridges: false,
                    };
                    if let Some(done) = open.replace(run) {
                        reads.push(done.close()?);
                    }
                }
            }
        }
        if let Some(done) = open {
            reads.push(done.close()?);
        }
        Ok(Self { reads })
    }
}

#[cfg(test)]
mod tests {
    use super::{Gaps, Plan};
    use crate::tests::point;
    use contract::{Point, Table, ValueType};
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
    use std::format;
    use std::vec::Vec;

    fn at(table: Table, spots: &[(u16, ValueType)]) -> Vec<Point> {
        let point = |(place, (address, value)): (usize, &(u16, ValueType))| {
            point(&format!("p{place}"), table, *address, *value)
        };
        spots.iter().enumerate().map(point).collect()
    }

    fn check(points: &[Point], gaps: Gaps, expected: &[(u16, u16)]) {
        let plan = Plan::new(points, gaps).unwrap();
        let found: Vec<_> = plan
            .reads
            .iter()
            .map(|read| (read.request.first(), read.request.count()))
            .collect();
        assert_eq!(found, expected);
    }

    //= R5.2
    #[test]
    fn neighbours_share_a_request() {
        use ValueType::{U16, U32, U64};
        let points = at(
            Table::Holding,
            &[(10, U16), (0, U32), (2, U64), (15, U16), (40, U16)],
        );
        check(&points, Gaps::Bridged, &[(0, 16), (40, 1)]);
        check(&points, Gaps::Kept, &[(0, 6), (10, 1), (15, 1), (40, 1)]);
        let edge = at(Table::Holding, &[(0, U16), (9, U16), (19, U16)]);
        check(&edge, Gaps::Bridged, &[(0, 10), (19, 1)]);
        let wide: Vec<(u16, ValueType)> = (0..63).map(|n| (n * 2, U32)).collect();
        check(
            &at(Table::Input, &wide),
            Gaps::Bridged,
            &[(0, 124), (124, 2)],
        );
        check(
            &at(Table::Coil, &[(0, ValueType::Bit), (64, ValueType::Bit)]),
            Gaps::Bridged,
            &[(0, 65)],
        );
        assert!(Plan::new(&at(Table::Holding, &[(65_535, U32)]), Gaps::Kept).is_err());
    }

    proptest! {
        //= R5.2
        #[test]
        fn every_point_is_covered_once_and_no_request_is_too_long(
            spots in prop::collection::vec((0_u16..600, 0_usize..3, any::<bool>()), 1..40),
            bridged in any::<bool>(),
        ) {
            let types = [ValueType::U16, ValueType::U32, ValueType::U64];
            let mut points = Vec::new();
            for (place, (address, kind, holding)) in spots.iter().enumerate() {
                let table = if *holding { Table::Holding } else { Table::Input };
                points.push(point(&format!("p{place}"), table, *address, types[*kind]));
            }
            let gaps = if bridged { Gaps::Bridged } else { Gaps::Kept };
            let plan = Plan::new(&points, gaps).unwrap();
            let mut seen = std::vec![0; points.len()];
            for read in &plan.reads {
                let (first, count) = (read.request.first(), read.request.count());
                prop_assert!(count <= 125);
                prop_assert!(bridged || !read.bridges);
                for place in &read.points {
                    seen[*place] += 1;
                    let point = &points[*place];
                    let register = point.register().unwrap();
                    prop_assert!(register.address >= first);
                    prop_assert!(register.address + register.width() <= first + count);
                }
            }
            prop_assert_eq!(seen, std::vec![1; points.len()]);
        }
    }
}
