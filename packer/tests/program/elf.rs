//! ELF files made by hand.

#![allow(dead_code)] // No test uses everything.

pub const X86_64: u16 = 62;
pub const I386: u16 = 3;
pub const AARCH64: u16 = 183;

/// The address of the first byte of the file.
const BASE: u64 = 0x1000;

/// A program or a library.
#[derive(Clone, Default)]
pub struct Elf {
    machine: Option<u16>,
    is_32: bool,
    is_big_endian: bool,
    interpreter: Option<String>,
    /// Entries of the dynamic section with a name.
    names: Vec<(u64, String)>,
    flags_1: u64,
    /// The levels of x86-64 that it needs, a bit for each.
    levels: u32,
    /// `e_type`, if it is not `ET_DYN`.
    kind: Option<u16>,
}

impl Elf {
    pub fn library() -> Self {
        Self::default()
    }

    pub fn program() -> Self {
        Self::default().interpreter("/lib/ld.so")
    }

    pub fn interpreter(mut self, path: &str) -> Self {
        self.interpreter = Some(path.into());
        self
    }

    pub fn machine(mut self, machine: u16) -> Self {
        self.machine = Some(machine);
        self
    }

    pub fn with_32_bits(mut self) -> Self {
        self.is_32 = true;
        self
    }

    pub fn big_endian(mut self) -> Self {
        self.is_big_endian = true;
        self
    }

    pub fn needed(self, name: &str) -> Self {
        self.name(1, name)
    }

    pub fn soname(self, name: &str) -> Self {
        self.name(14, name)
    }

    pub fn rpath(self, path: &str) -> Self {
        self.name(15, path)
    }

    pub fn runpath(self, path: &str) -> Self {
        self.name(29, path)
    }

    pub fn no_default(mut self) -> Self {
        self.flags_1 = 0x800;
        self
    }

    pub fn levels(mut self, bits: u32) -> Self {
        self.levels = bits;
        self
    }

    pub fn kind(mut self, kind: u16) -> Self {
        self.kind = Some(kind);
        self
    }

    fn name(mut self, tag: u64, name: &str) -> Self {
        self.names.push((tag, name.into()));
        self
    }

    /// A header, a segment of an unknown type, the segments PT_LOAD (from byte 16 on), PT_DYNAMIC and PT_INTERP, and their contents.
    pub fn bytes(&self) -> Vec<u8> {
        let (header, segment, word) = if self.is_32 { (52, 32, 4) } else { (64, 56, 8) };
        let mut strings = vec![0];
        let mut dynamic = Vec::new();
        for (tag, name) in &self.names {
            dynamic.push((*tag, strings.len() as u64));
            strings.extend(name.bytes());
            strings.push(0);
        }
        let interpreter = self.interpreter.as_ref().map(|path| format!("{path}\0"));
        let interpreter = interpreter.unwrap_or_default();
        // A note of GNU with a property: GNU_PROPERTY_X86_ISA_1_NEEDED.
        let note = [4, 16, 5, 0x0055_4e47, 0xc000_8002, 4, self.levels, 0];
        let note = note.map(u32::to_le_bytes).concat();
        let note = if self.levels == 0 { Vec::new() } else { note };
        let segments = 3 + u64::from(self.interpreter.is_some()) + u64::from(!note.is_empty());
        let dynamic_at = header + segments * segment;
        let dynamic_size = (dynamic.len() as u64 + 4) * 2 * word;
        let strings_at = dynamic_at + dynamic_size;
        let interpreter_at = strings_at + strings.len() as u64;
        let note_at = interpreter_at + interpreter.len() as u64;
        let end = note_at + note.len() as u64;
        // DT_STRTAB, DT_STRSZ, DT_FLAGS_1, DT_NULL.
        dynamic.extend([
            (5, BASE + strings_at),
            (10, strings.len() as u64),
            (0x6fff_fffb, self.flags_1),
            (0, 0),
        ]);

        let mut file = Writer {
            bytes: b"\x7fELF".to_vec(),
            elf: self,
        };
        file.bytes.push(if self.is_32 { 1 } else { 2 });
        file.bytes.push(if self.is_big_endian { 2 } else { 1 });
        file.bytes.push(1);
        file.bytes.resize(16, 0);
        file.number(2, self.kind.unwrap_or(3).into());
        file.number(2, self.machine.unwrap_or(X86_64).into());
        file.number(4, 1);
        file.words(&[0, header, 0]);
        file.number(4, 0);
        for half in [header, segment, segments, 0, 0, 0] {
            file.number(2, half);
        }
        // Not loaded, so it says nothing about addresses.
        file.segment(0x6fff_0000, 8, end - 8);
        file.segment(1, 16, end - 16);
        file.segment(2, dynamic_at, dynamic_size);
        if self.interpreter.is_some() {
            file.segment(3, interpreter_at, interpreter.len() as u64);
        }
        if !note.is_empty() {
            file.segment(4, note_at, note.len() as u64);
        }
        for (tag, value) in dynamic {
            file.words(&[tag, value]);
        }
        file.bytes.extend(strings);
        file.bytes.extend(interpreter.bytes());
        file.bytes.extend(note);
        assert_eq!(file.bytes.len() as u64, end);
        file.bytes
    }
}

struct Writer<'a> {
    bytes: Vec<u8>,
    elf: &'a Elf,
}

impl Writer<'_> {
    fn number(&mut self, size: usize, value: u64) {
        if self.elf.is_big_endian {
            self.bytes.extend(&value.to_be_bytes()[8 - size..]);
        } else {
            self.bytes.extend(&value.to_le_bytes()[..size]);
        }
    }

    fn words(&mut self, values: &[u64]) {
        for &value in values {
            self.number(if self.elf.is_32 { 4 } else { 8 }, value);
        }
    }

    fn segment(&mut self, kind: u64, at: u64, size: u64) {
        // That of the unknown type has the address of the first byte, too.
        let address = if kind == 0x6fff_0000 { BASE } else { BASE + at };
        self.number(4, kind);
        if self.elf.is_32 {
            self.words(&[at, address, address, size, size, 5, 4]);
        } else {
            self.number(4, 5);
            self.words(&[at, address, address, size, size, 8]);
        }
    }
}
