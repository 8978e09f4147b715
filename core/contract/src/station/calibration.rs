//! The calibration of an analog input as an artifact: what scales its raw numbers, under a version and a digest (R3.3).

use super::Analog;
use crate::Contract;
use crate::canonical::digest_of;
use evidence::cbor::Writer;
use evidence::kinds::Calibration;
use evidence::{CommitId, Digest, Field, MonoNs};

impl Analog {
    /// Its calibration as an entry of the log, with the configuration entry that has it; `None` where the contract names no
    /// version.
    fn calibration_entry(&self, at: MonoNs, contract: CommitId) -> Option<Calibration> {
        let mut entry = Calibration {
            at,
            point_id: self.id.clone(),
            source: self.card.clone(),
            channel: self.channel.clone(),
            version: self.calibration.clone()?,
            digest: Digest([0; 32]),
            scale: self.scale,
            offset: self.offset,
            unit: self.unit.clone(),
            range_min: self.range.map(|(min, _)| min),
            range_max: self.range.map(|(_, max)| max),
            open_below: self.open_below,
            short_above: self.short_above,
            calibrated: self.calibrated.clone(),
            calibrated_by: self.calibrated_by.clone(),
            contract,
        };
        entry.digest = calibration_digest(&entry);
        Some(entry)
    }
}

impl Contract {
    /// The calibrations of its analog inputs as entries of the log, with the configuration entry that has them.
    pub fn calibration_entries(
        &self,
        at: MonoNs,
        contract: CommitId,
    ) -> impl Iterator<Item = Calibration> {
        let analogs = self.points.analogs.values();
        analogs.filter_map(move |analog| analog.calibration_entry(at, contract))
    }
}

/// The digest that an entry of this content has: SHA-256 over the deterministic CBOR map of its keys 2, 3 and 6 to 14, those
/// that are there. Neither the version nor the point is in it: two points whose wires were swapped are seen by it, and a
/// scaling that was given another name has the same.
#[must_use]
pub fn calibration_digest(entry: &Calibration) -> Digest {
    let mut writer = Writer::new();
    let optional = [
        entry.range_min.is_some(),
        entry.range_max.is_some(),
        entry.open_below.is_some(),
        entry.short_above.is_some(),
        entry.calibrated.is_some(),
        entry.calibrated_by.is_some(),
    ];
    writer.map(5 + optional.into_iter().filter(|there| *there).count());
    put(&mut writer, 2, &entry.source);
    put(&mut writer, 3, &entry.channel);
    put(&mut writer, 6, &entry.scale);
    put(&mut writer, 7, &entry.offset);
    put(&mut writer, 8, &entry.unit);
    put(&mut writer, 9, &entry.range_min);
    put(&mut writer, 10, &entry.range_max);
    put(&mut writer, 11, &entry.open_below);
    put(&mut writer, 12, &entry.short_above);
    put(&mut writer, 13, &entry.calibrated);
    put(&mut writer, 14, &entry.calibrated_by);
    digest_of(&writer.into_bytes())
}

fn put(writer: &mut Writer, key: u64, field: &impl Field) {
    if field.present() {
        writer.uint(key);
        field.write(writer);
    }
}

#[cfg(test)]
mod tests {
    use super::calibration_digest;
    use crate::parse;
    use alloc::collections::BTreeSet;
    use alloc::string::{String, ToString};
    use evidence::kinds::Calibration;
    use evidence::{CommitId, MonoNs};
    use std::format;

    const FIELDS: &str = "scale = \"0.001\"\noffset = \"2\"\nunit = \"degC\"\nrange = [\"-40\", \"85\"]\n\
                          open_below = \"1\"\nshort_above = \"9\"\ncalibrated = \"2026-03-14\"\ncalibrated_by = \"ada\"\n";

    fn entry(fields: &str) -> Option<Calibration> {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[card]]\nid = \"box\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
             [[ai]]\nid = \"temp\"\ncard = \"box\"\nchannel = \"temp1_input\"\nschedule = \"q\"\n{fields}"
        );
        let contract = parse(&text).unwrap();
        let analog = contract.points.analogs.values().next().unwrap();
        analog.calibration_entry(MonoNs(1), CommitId(7))
    }

    /// Every part of the scaling is in the digest; its name, the deadband and when it is read are not.
    //= R3.3
    //= R3.4
    #[test]
    fn the_digest_is_of_the_scaling_and_of_nothing_else() {
        let named =
            |version: &str, fields: &str| entry(&format!("{fields}calibration = {version:?}\n"));
        let base = named("2026-03", FIELDS).unwrap();
        assert_eq!(
            (base.version.as_str(), base.contract),
            ("2026-03", CommitId(7))
        );
        assert_eq!(base.digest, calibration_digest(&base));
        let mut seen = BTreeSet::from([base.digest.to_string()]);
        for (was, is) in [
            ("\"0.001\"", "\"0.002\""),
            ("offset = \"2\"", "offset = \"3\""),
            ("\"degC\"", "\"K\""),
            ("\"-40\"", "\"-41\""),
            ("\"85\"", "\"86\""),
            ("open_below = \"1\"", "open_below = \"2\""),
            ("short_above = \"9\"\n", ""),
            ("03-14", "03-15"),
            ("\"ada\"", "\"bob\""),
        ] {
            let other = named("2026-03", &FIELDS.replace(was, is)).unwrap();
            assert!(seen.insert(other.digest.to_string()), "{was} to {is}");
        }
        let same = |fields: String, version: &str| {
            assert_eq!(
                named(version, &fields).unwrap().digest,
                base.digest,
                "{fields}"
            );
        };
        same(String::from(FIELDS), "2026-09");
        same(
            format!("{FIELDS}deadband = \"0.5\"\nsample = \"2s\"\n"),
            "2026-03",
        );
        assert_eq!(entry("scale = \"0.001\"\n"), None);
    }
}
