//! The macro that declares a reason code list once: enum, number, name, meaning, CDDL.

/// Declares an enum of codes. Numbers are for ever; a code that falls out of use keeps its number.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $cddl:literal {
            $( $variant:ident = $code:literal, $text:literal, $doc:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( #[doc = $doc] $variant, )+
        }

        impl $name {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The number that is written down.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self { $( Self::$variant => $code ),+ }
            }

            /// The word that people and programs read.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }

            /// What it means, in a clause.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$variant => $doc ),+ }
            }

            /// The code with this number.
            #[must_use]
            pub const fn from_code(code: u64) -> Option<Self> {
                match code { $( $code => Some(Self::$variant), )+ _ => None }
            }

            /// The code with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $( $text => Some(Self::$variant), )+ _ => None }
            }

            /// Its rule in the published CDDL.
            pub(crate) fn cddl_rule(out: &mut alloc::string::String) {
                use core::fmt::Write;
                let _ = writeln!(out, "{} =", $cddl);
                for (place, code) in Self::ALL.iter().enumerate() {
                    let or = if place == 0 { " " } else { "/" };
                    let _ = writeln!(
                        out, "  {or} {} ; {}: {}", code.code(), code.name(), code.meaning()
                    );
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }

        impl $crate::Field for $name {
            const CDDL: &'static str = $cddl;

            fn write(&self, writer: &mut $crate::cbor::Writer) {
                writer.uint(self.code());
            }

            fn read(
                reader: &mut $crate::cbor::Reader<'_>,
            ) -> Result<Self, $crate::cbor::DecodeError> {
                let at = reader.position();
                Self::from_code(reader.uint()?).ok_or_else(|| {
                    reader.fault(at, $crate::cbor::DecodeFault::OutOfRange($cddl))
                })
            }
        }
    };
}

pub(crate) use codes;
