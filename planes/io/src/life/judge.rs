//! What a counter's reading is judged to be, as one declared table (U2).

use alloc::vec::Vec;
use evidence::reasons::MeterFinding;

/// Whether the meter is the one that was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Its serial number is the same.
    Same,
    /// It is another.
    Other,
    /// The session, or the one before, told none.
    Untold,
}

/// How a value stands to the last one that was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Not below it, and not further than the counter can have come.
    Onward,
    /// Below it, and as far as the counter can have come over the end of its register.
    Round,
    /// Below it otherwise.
    Back,
    /// Further than the counter can have come.
    Leap,
}

/// Whether the reading before was doubted, and how this one stands to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was not.
    None,
    /// It had gone back, and the counter went on from there.
    BackGoesOn,
    /// It had gone back, and the counter did not go on from there.
    BackLeft,
    /// It had leapt, and the counter went on from there.
    LeapGoesOn,
    /// It had leapt, and the counter did not go on from there.
    LeapLeft,
}

impl Who {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Same, Self::Other, Self::Untold];
}

impl Course {
    /// Every course.
    pub const ALL: [Self; 4] = [Self::Onward, Self::Round, Self::Back, Self::Leap];
}

impl Doubt {
    /// Every doubt.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::BackGoesOn,
        Self::BackLeft,
        Self::LeapGoesOn,
        Self::LeapLeft,
    ];
}

/// What follows from a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What the reading before is judged to be, now that this one came.
    pub before: Option<MeterFinding>,
    /// What this reading is judged to be; nothing where it went on as it should.
    pub this: Option<MeterFinding>,
}

impl Ruling {
    /// Whether what came is compared with this reading from now on: one that is doubted is not believed yet.
    #[must_use]
    pub fn believes(self) -> bool {
        self.this != Some(MeterFinding::Doubted)
    }
}

/// One row of the table: where a column names several, each of them.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Who it is,
    pub who: &'static [Who],
    /// after such a reading
    pub doubt: &'static [Doubt],
    /// this course
    pub course: &'static [Course],
    /// leads to this.
    pub ruling: Ruling,
}

const fn row(
    who: &'static [Who],
    doubt: &'static [Doubt],
    course: &'static [Course],
    before: Option<MeterFinding>,
    this: Option<MeterFinding>,
) -> Row {
    let ruling = Ruling { before, this };
    Row {
        who,
        doubt,
        course,
        ruling,
    }
}

const OTHER: &[Who] = &[Who::Other];
const SAME: &[Who] = &[Who::Same];
const UNTOLD: &[Who] = &[Who::Untold];
const NOT_OTHER: &[Who] = &[Who::Same, Who::Untold];
const SURE: &[Doubt] = &[Doubt::None];
const LEFT: &[Doubt] = &[Doubt::BackLeft, Doubt::LeapLeft];
const GOES_ON: &[Doubt] = &[Doubt::BackGoesOn, Doubt::LeapGoesOn];
const BACK_GOES_ON: &[Doubt] = &[Doubt::BackGoesOn];
const LEAP_GOES_ON: &[Doubt] = &[Doubt::LeapGoesOn];
const ONWARD: &[Course] = &[Course::Onward];
const ROUND: &[Course] = &[Course::Round];
const AWAY: &[Course] = &[Course::Back, Course::Leap];
const LEAPT: &[Course] = &[Course::Onward, Course::Back, Course::Leap];

/// The whole table. A reading that went back or leapt is doubted until the next one shows what it was: one that is left
/// again was a bad read, one that the counter goes on from stays.
pub const RULINGS: [Row; 13] = {
    use MeterFinding::{BadRead, Doubted, Leap, Replaced, Reset, Rollover, SetBack};
    [
        row(OTHER, &Doubt::ALL, &Course::ALL, None, Some(Replaced)),
        row(NOT_OTHER, SURE, ONWARD, None, None),
        row(NOT_OTHER, SURE, ROUND, None, Some(Rollover)),
        row(NOT_OTHER, SURE, AWAY, None, Some(Doubted)),
        // The counter is where it was before: also a value that had gone back and is reached again.
        row(NOT_OTHER, LEFT, ONWARD, Some(BadRead), None),
        row(NOT_OTHER, BACK_GOES_ON, ONWARD, Some(BadRead), None),
        row(NOT_OTHER, LEFT, ROUND, Some(BadRead), Some(Rollover)),
        row(NOT_OTHER, LEFT, AWAY, Some(BadRead), Some(Doubted)),
        // The doubted reading lay behind the end of the register already, and had come there too fast.
        row(NOT_OTHER, GOES_ON, ROUND, None, Some(Rollover)),
        row(SAME, BACK_GOES_ON, AWAY, Some(Reset), None),
        row(UNTOLD, BACK_GOES_ON, AWAY, Some(SetBack), None),
        row(SAME, LEAP_GOES_ON, LEAPT, Some(Leap), None),
        row(UNTOLD, LEAP_GOES_ON, LEAPT, Some(Leap), None),
    ]
};

/// What a reading is judged to be.
#[must_use]
pub fn rule(who: Who, doubt: Doubt, course: Course) -> Ruling {
    let fits = |row: &&Row| {
        row.who.contains(&who) && row.doubt.contains(&doubt) && row.course.contains(&course)
    };
    let found: Vec<&Row> = RULINGS.iter().filter(fits).take(1).collect();
    found.first().map_or(
        Ruling {
            before: None,
            this: None,
        },
        |row| row.ruling,
    )
}

#[cfg(test)]
mod tests {
    use super::{Course, Doubt, RULINGS, Who, rule};
    use std::format;
    use std::string::String;

    const WHOLE: &str = "\
Same   None       Onward -        -
Same   None       Round  -        rollover
Same   None       Back   -        doubted
Same   None       Leap   -        doubted
Same   BackGoesOn Onward bad_read -
Same   BackGoesOn Round  -        rollover
Same   BackGoesOn Back   reset    -
Same   BackGoesOn Leap   reset    -
Same   BackLeft   Onward bad_read -
Same   BackLeft   Round  bad_read rollover
Same   BackLeft   Back   bad_read doubted
Same   BackLeft   Leap   bad_read doubted
Same   LeapGoesOn Onward leap     -
Same   LeapGoesOn Round  -        rollover
Same   LeapGoesOn Back   leap     -
Same   LeapGoesOn Leap   leap     -
Same   LeapLeft   Onward bad_read -
Same   LeapLeft   Round  bad_read rollover
Same   LeapLeft   Back   bad_read doubted
Same   LeapLeft   Leap   bad_read doubted
Untold None       Onward -        -
Untold None       Round  -        rollover
Untold None       Back   -        doubted
Untold None       Leap   -        doubted
Untold BackGoesOn Onward bad_read -
Untold BackGoesOn Round  -        rollover
Untold BackGoesOn Back   set_back -
Untold BackGoesOn Leap   set_back -
Untold BackLeft   Onward bad_read -
Untold BackLeft   Round  bad_read rollover
Untold BackLeft   Back   bad_read doubted
Untold BackLeft   Leap   bad_read doubted
Untold LeapGoesOn Onward leap     -
Untold LeapGoesOn Round  -        rollover
Untold LeapGoesOn Back   leap     -
Untold LeapGoesOn Leap   leap     -
Untold LeapLeft   Onward bad_read -
Untold LeapLeft   Round  bad_read rollover
Untold LeapLeft   Back   bad_read doubted
Untold LeapLeft   Leap   bad_read doubted
";

    //= U2
    #[test]
    fn every_reading_has_one_row() {
        let mut found = String::new();
        for who in [Who::Same, Who::Untold, Who::Other] {
            for doubt in Doubt::ALL {
                for course in Course::ALL {
                    let rows = RULINGS.iter().filter(|row| {
                        row.who.contains(&who)
                            && row.doubt.contains(&doubt)
                            && row.course.contains(&course)
                    });
                    assert_eq!(rows.count(), 1, "{who:?} {doubt:?} {course:?}");
                    let ruling = rule(who, doubt, course);
                    if who == Who::Other {
                        let replaced = Some(evidence::reasons::MeterFinding::Replaced);
                        assert_eq!((ruling.before, ruling.this), (None, replaced));
                        continue;
                    }
                    let before = ruling.before.map_or("-", |finding| finding.name());
                    let this = ruling.this.map_or("-", |finding| finding.name());
                    let words = [
                        format!("{who:?}"),
                        format!("{doubt:?}"),
                        format!("{course:?}"),
                    ];
                    let [who, doubt, course] = words;
                    found += &format!("{who:<7}{doubt:<11}{course:<7}{before:<9}{this}\n");
                }
            }
        }
        assert_eq!(found, WHOLE);
    }
}
