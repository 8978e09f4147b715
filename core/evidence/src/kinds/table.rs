//! The macros with which the table of kinds is declared: rows in, types and encoding out.

/// Declares structs that are written as maps with integer keys.
macro_rules! payload {
    (
        #[doc = $about:literal] $name:ident {
            $( $key:literal $field:ident : $type:ty $(, $list:ident)? => $doc:literal; )+
        }
    ) => {
        #[doc = $about]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $( #[doc = $doc] pub $field: $type, )+
        }

        impl $name {
            pub(crate) const ABOUT: &'static str = $about.trim_ascii();
            pub(crate) const FIELDS: &'static [FieldRow] = &[ $( FieldRow {
                key: $key,
                name: stringify!($field),
                cddl: <$type as Field>::CDDL,
                list: payload!(@list $($list)?),
                optional: <$type as Field>::OPTIONAL,
                doc: $doc,
            } ),+ ];
        }

        impl Field for $name {
            const CDDL: &'static str = stringify!($name);

            fn write(&self, writer: &mut Writer) {
                let present = [ $( self.$field.present() ),+ ];
                writer.map(present.into_iter().filter(|present| *present).count());
                $( if self.$field.present() {
                    writer.uint($key);
                    self.$field.write(writer);
                } )+
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let mut map = reader.map()?;
                $( let $field = match map.value($key)? {
                    Some(value) => <$type as Field>::read(value)?,
                    None => <$type as Field>::absent().ok_or_else(|| map.missing($key))?,
                }; )+
                map.finish()?;
                Ok(Self { $( $field ),+ })
            }

            fn check(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                let mut map = reader.map()?;
                $( match map.value($key)? {
                    Some(value) => <$type as Field>::check(value)?,
                    None if <$type as Field>::OPTIONAL => {}
                    None => return Err(map.missing($key)),
                } )+
                map.finish()
            }
        }
    };
    (@list list) => { true };
    (@list) => { false };
}

/// Declares the kinds: number, name, payload.
macro_rules! kinds {
    ( $( $code:literal $text:literal $variant:ident; )+ ) => {
        /// The kinds of entries, by the number in the entry's header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $( #[doc = concat!("See [`", stringify!($variant), "`].")] $variant, )+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The number in the entry's header.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self { $( Self::$variant => $code ),+ }
            }

            /// The word that people and programs read.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }

            /// What such an entry says.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$variant => $variant::ABOUT ),+ }
            }

            /// The kind with this number.
            #[must_use]
            pub const fn from_code(code: u64) -> Option<Self> {
                match code { $( $code => Some(Self::$variant), )+ _ => None }
            }

            /// The kind with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $( $text => Some(Self::$variant), )+ _ => None }
            }

            pub(crate) const fn fields(self) -> &'static [FieldRow] {
                match self { $( Self::$variant => $variant::FIELDS ),+ }
            }
        }

        /// What an entry says, by kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Payload { $( #[doc = concat!("See [`", stringify!($variant), "`].")] $variant($variant), )+ }

        impl Payload {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $( Self::$variant(_) => Kind::$variant ),+ }
            }

            /// When it was captured.
            #[must_use]
            pub const fn at(&self) -> MonoNs {
                match self { $( Self::$variant(payload) => payload.at ),+ }
            }

            /// The capture bytes: deterministic CBOR, written once.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut writer = Writer::new();
                match self { $( Self::$variant(payload) => payload.write(&mut writer) ),+ }
                writer.into_bytes()
            }

            /// Reads the capture bytes of a kind.
            pub fn decode(kind: Kind, capture: &[u8]) -> Result<Self, DecodeError> {
                let mut reader = Reader::new(capture);
                let payload = match kind {
                    $( Kind::$variant => Self::$variant($variant::read(&mut reader)?), )+
                };
                reader.finish()?;
                Ok(payload)
            }

            /// Whether these are the capture bytes of a kind; fails exactly where [`Self::decode`]
            /// does, and makes nothing.
            pub fn check(kind: Kind, capture: &[u8]) -> Result<(), DecodeError> {
                let mut reader = Reader::new(capture);
                match kind {
                    $( Kind::$variant => $variant::check(&mut reader)?, )+
                }
                reader.finish()
            }
        }

        $( impl From<$variant> for Payload {
            fn from(payload: $variant) -> Self { Self::$variant(payload) }
        } )+
    };
}
