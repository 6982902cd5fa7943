//! The members.

use super::super::Format;

pub struct Member {
    /// The command that made it.
    pub made_by: &'static str,
    pub format: Format,
    pub text: &'static str,
    pub hex: &'static str,
}

const TEXT: &str = "kernel kernel kernel\n";

pub const MEMBERS: [Member; 19] = [
    Member {
        made_by: "gzip -9n",
        format: Format::Gzip,
        text: TEXT,
        hex: "1f8b0800000000000203cb4e2dca4bcd51c846a6b8006171d99b15000000",
    },
    Member {
        made_by: "gzip of a file, with its name and time",
        format: Format::Gzip,
        text: TEXT,
        hex: "1f8b080882cd036b00036600cb4e2dca4bcd51c846a6b8006171d99b15000000",
    },
    Member {
        made_by: "gzip -9n of nothing",
        format: Format::Gzip,
        text: "",
        hex: "1f8b080000000000020303000000000000000000",
    },
    Member {
        made_by: "zstd -19",
        format: Format::Zstd,
        text: TEXT,
        hex: "28b52ffd0468750000406b65726e656c200a01003a8a11cc822689",
    },
    Member {
        made_by: "zstd of nothing",
        format: Format::Zstd,
        text: "",
        hex: "28b52ffd240001000099e9d851",
    },
    Member {
        made_by: "xz --check=crc32",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de360200210116000000742fe5a3e00014000e5d0035994aaba2e2af224e021de9\
              00000000006171d99b00012615e4d2858e9042990d010000000001595a",
    },
    Member {
        made_by: "xz --check=crc32 --lzma2=preset=0 --block-size=8",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de36020021010c0000008f98419c0100076b65726e656c206b0027cc1453020021\
              010c0000008f98419c01000765726e656c206b6500430f9e17020021010c0000008f98419c010004726e65\
              6c0a00000000fc0048f900031c081c081905dda818ef3e300d8b020000000001595a",
    },
    Member {
        made_by: "xz --check=crc32 -T2 --block-size=8, with sizes in the headers of the blocks",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de3602c00c08210116009edb7ca90100076b65726e656c206b0027cc145302c00c\
              08210116009edb7ca901000765726e656c206b6500430f9e1702c00905210116009c8e2101010004726e65\
              6c0a00000000fc0048f900031c081c081905dda818ef3e300d8b020000000001595a",
    },
    Member {
        made_by: "xz --check=none",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a000000ff12d9410200210116000000742fe5a3e00014000e5d0035994aaba2e2af224e021de9\
              000000000000012215e017e9ea06729e7a010000000000595a",
    },
    Member {
        made_by: "xz --check=crc32 of nothing",
        format: Format::Xz,
        text: "",
        hex: "fd377a585a0000016922de36000000001cdf44219042990d010000000001595a",
    },
    Member {
        made_by: "bzip2 -9",
        format: Format::Bzip2,
        text: TEXT,
        hex: "425a6839314159265359e4912360000005d18000104000020d10002000223d43d20860121069871678bb9229\
              c2848724891b00",
    },
    Member {
        made_by: "bzip2 of nothing",
        format: Format::Bzip2,
        text: "",
        hex: "425a683917724538509000000000",
    },
    Member {
        made_by: "xz --format=lzma",
        format: Format::Lzma,
        text: TEXT,
        hex: "5d00008000ffffffffffffffff0035994aaba2e2af224e0223780ffffffd630000",
    },
    Member {
        made_by: "xz --format=lzma of nothing",
        format: Format::Lzma,
        text: "",
        hex: "5d00008000ffffffffffffffff0083fffbffffc0000000",
    },
    Member {
        made_by: "lzma 9.22 of a file, with its size and no end mark",
        format: Format::Lzma,
        text: TEXT,
        hex: "5d0000800015000000000000000035994aaba2e2af224e021de90000",
    },
    Member {
        made_by: "lzop -9 of a file, with its name",
        format: Format::Lzo,
        text: TEXT,
        hex: "894c5a4f000d0a1a0a104020a00940030903000009000081a46b08d0cf0000000001663f2305100000001500\
              00000f596007ce186b65726e656c202b19000a11000000000000",
    },
    Member {
        made_by: "lzop -9 --crc32",
        format: Format::Lzo,
        text: TEXT,
        hex: "894c5a4f000d0a1a0a104020a0100103090300110c000081a46b08d0b60000000000dfec8235000000150000\
              000f9bd97161186b65726e656c202b19000a11000000000000",
    },
    Member {
        made_by: "lzop of nothing",
        format: Format::Lzo,
        text: "",
        hex: "894c5a4f000d0a1a0a104020a0094001050300000d000000006b08d0b600000000002d53036900000000",
    },
    Member {
        made_by: "lzop of data that it cannot compress",
        format: Format::Lzo,
        text: "abcdefgh",
        hex: "894c5a4f000d0a1a0a104020a0094001050300000d000000006b08d0cf00000000002de90382000000080000\
              00080e000325616263646566676800000000",
    },
];
