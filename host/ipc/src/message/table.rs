//! The macros with which messages are declared: rows in, types and encoding out.

/// Declares a list of codes that travel as numbers.
macro_rules! code_list {
    ( $(#[$meta:meta])* $name:ident, $what:literal {
        $( $code:literal $variant:ident = $text:literal => $doc:literal; )+
    } ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( #[doc = $doc] $variant, )+ }

        impl $name {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self { $( Self::$variant => $code ),+ }
            }

            /// The word that people and programs read.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                writer.uint(self.code());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = reader.position();
                match reader.uint()? {
                    $( $code => Ok(Self::$variant), )+
                    _ => Err(reader.fault(at, DecodeFault::OutOfRange($what))),
                }
            }
        }
    };
}

/// Reads the map of a struct's fields.
macro_rules! read_fields {
    ( $reader:ident ) => {{
        $reader.map()?.finish()?;
        Ok(Self {})
    }};
    ( $reader:ident $( $key:literal $field:ident $type:ty )+ ) => {{
        let mut map = $reader.map()?;
        $( let $field = match map.value($key)? {
            Some(value) => <$type as Wire>::read(value)?,
            None => <$type as Wire>::absent().ok_or_else(|| map.missing($key))?,
        }; )+
        map.finish()?;
        Ok(Self { $( $field ),+ })
    }};
}

/// Declares structs that are written as maps with integer keys.
macro_rules! parts {
    ( $( $(#[$meta:meta])* $name:ident {
        $( $key:literal $field:ident : $type:ty => $doc:literal; )*
    } )+ ) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $( #[doc = $doc] pub $field: $type, )*
        }

        impl Wire for $name {
            fn write(&self, writer: &mut Writer) {
                let present: &[bool] = &[ $( self.$field.present() ),* ];
                writer.map(present.iter().filter(|present| **present).count());
                $( if self.$field.present() {
                    writer.uint($key);
                    self.$field.write(writer);
                } )*
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                read_fields!(reader $( $key $field $type )*)
            }
        }
    )+ };
}

/// Declares the messages: number, struct, fields.
macro_rules! messages {
    ( $( $code:literal $name:ident { $doc:literal $($fields:tt)* } )+ ) => {
        parts! { $( #[doc = $doc] $name { $($fields)* } )+ }

        /// Any message.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Message { $( #[doc = $doc] $name($name), )+ }

        impl Message {
            /// The numbers of all messages.
            pub const CODES: &'static [u64] = &[ $( $code ),+ ];

            /// Its number.
            #[must_use]
            pub const fn code(&self) -> u64 {
                match self { $( Self::$name(_) => $code ),+ }
            }

            /// Its name, for people.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $( Self::$name(_) => stringify!($name) ),+ }
            }

            /// Its bytes; the channel refuses those longer than a message may be.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut writer = Writer::new();
                writer.array(2);
                writer.uint(self.code());
                match self { $( Self::$name(fields) => fields.write(&mut writer) ),+ }
                writer.into_bytes()
            }

            /// Reads a message.
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                let mut reader = Reader::new(bytes);
                reader.array_of(2)?;
                let at = reader.position();
                let message = match reader.uint()? {
                    $( $code => Self::$name($name::read(&mut reader)?), )+
                    _ => return Err(reader.fault(
                        at, DecodeFault::OutOfRange("the messages of this version"),
                    )),
                };
                reader.finish()?;
                Ok(message)
            }
        }

        $( impl From<$name> for Message {
            fn from(fields: $name) -> Self { Self::$name(fields) }
        } )+
    };
}
