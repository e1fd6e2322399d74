//! Whatever was not sealed under this key, for this purpose and this owner does not open.

use proptest::prelude::*;

use super::{Key, Owner, Purpose, Sealer};
use crate::policy::{Principal, Value};

fn sealer(byte: u8) -> Sealer {
    let mut key = [7; Key::LEN];
    key[0] = byte;
    Sealer::new(&Key::new(key))
}

/// A caller with these claims; all of them are strings.
fn caller(claims: &[(&str, &str)]) -> Principal {
    let claims =
        claims.iter().map(|(name, value)| ((*name).into(), Value::String((*value).into())));
    Principal::supposed(Value::Map(claims.collect()))
}

fn ann() -> Owner {
    Owner::new("files", &caller(&[("iss", "https://id/"), ("sub", "ann"), ("client_id", "ide")]))
}

#[test]
fn one_text_for_one_handle_and_back() {
    let (sealer, owner) = (sealer(1), ann());
    for payload in [&b""[..], b"s", b"0123456789abcdef-0123", &[0xff; 300]] {
        let text = sealer.seal(Purpose::Session, &owner, payload).unwrap();
        assert_eq!(sealer.seal(Purpose::Session, &owner, payload).as_ref(), Some(&text));
        assert!(text.starts_with(Sealer::PREFIX));
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{text}");
        assert_eq!(sealer.open(Purpose::Session, &owner, text.as_bytes()).unwrap(), payload);
        // Under the same key elsewhere, too.
        let other = self::sealer(1);
        assert_eq!(other.open(Purpose::Session, &owner, text.as_bytes()).unwrap(), payload);
    }
    let texts = [b"a", b"b"].map(|payload| sealer.seal(Purpose::Session, &owner, payload).unwrap());
    let nonces = texts.map(|text| text.as_bytes()[..20].to_vec());
    assert_ne!(nonces[0], nonces[1], "two handles, two nonces");
}

/// The vector that fixes the format: what one version sealed, the next must open.
#[test]
fn the_format_stays() {
    let text = sealer(1).seal(Purpose::Session, &ann(), b"session-1").unwrap();
    assert_eq!(text, "fw1.8qs1asQT9vHc5hdWSLOkCnakgfFwUQb5C6mSVSy-l-_gbVQBMA");
}

#[test]
fn another_key_purpose_or_owner_does_not_open() {
    let text = sealer(1).seal(Purpose::Session, &ann(), b"s").unwrap();
    let opens = |sealer: &Sealer, purpose, owner: &Owner| {
        sealer.open(purpose, owner, text.as_bytes()).is_some()
    };
    assert!(opens(&sealer(1), Purpose::Session, &ann()));
    assert!(!opens(&sealer(2), Purpose::Session, &ann()));
    for purpose in [Purpose::Task, Purpose::State, Purpose::Endpoint] {
        assert!(!opens(&sealer(1), purpose, &ann()), "{purpose:?}");
    }
    let id = ("iss", "https://id/");
    let claims: &[&[(&str, &str)]] = &[
        &[id, ("sub", "bob"), ("client_id", "ide")],
        &[("iss", "https://other/"), ("sub", "ann"), ("client_id", "ide")],
        &[id, ("sub", "ann"), ("client_id", "cli")],
        &[id, ("sub", "ann"), ("client_id", "")],
        &[id, ("sub", "ann")],
        &[id, ("client_id", "ide")],
        // The same bytes, cut elsewhere.
        &[id, ("sub", "anni"), ("client_id", "de")],
        &[("iss", "https://id/ann"), ("sub", ""), ("client_id", "ide")],
    ];
    for claims in claims {
        let owner = Owner::new("files", &caller(claims));
        assert!(!opens(&sealer(1), Purpose::Session, &owner), "{claims:?}");
    }
    let ann_elsewhere = Owner::new("mail", &caller(&[id, ("sub", "ann"), ("client_id", "ide")]));
    assert!(!opens(&sealer(1), Purpose::Session, &ann_elsewhere));
    assert!(!opens(&sealer(1), Purpose::Session, &Owner::new("files", &Principal::anonymous())));
    assert!(!opens(&sealer(1), Purpose::Session, &ann().with([&b""[..]])));
}

#[test]
fn a_renewed_token_keeps_its_handles() {
    let before =
        caller(&[("iss", "i"), ("sub", "ann"), ("jti", "1"), ("exp", "1"), ("azp", "ide")]);
    let after = caller(&[("iss", "i"), ("sub", "ann"), ("jti", "2"), ("exp", "2"), ("azp", "ide")]);
    let text = sealer(1).seal(Purpose::Session, &Owner::new("r", &before), b"s").unwrap();
    let opened = sealer(1).open(Purpose::Session, &Owner::new("r", &after), text.as_bytes());
    assert_eq!(opened.unwrap(), b"s");
}

#[test]
fn parts_are_kept_apart() {
    let seal = |parts: &[&[u8]]| {
        sealer(1).seal(Purpose::State, &ann().with(parts.iter().copied()), b"s").unwrap()
    };
    let lists: &[&[&[u8]]] =
        &[&[], &[b""], &[b"ab"], &[b"a", b"b"], &[b"", b"ab"], &[b"ab", b""], &[b"b", b"a"]];
    for (at, one) in lists.iter().enumerate() {
        for (with, other) in lists.iter().enumerate() {
            assert_eq!(seal(one) == seal(other), at == with, "{one:?} {other:?}");
            let digest = |parts: &[&[u8]]| ann().with(parts.iter().copied()).digest();
            assert_eq!(digest(one) == digest(other), at == with, "{one:?} {other:?}");
        }
    }
}

#[test]
fn every_flipped_bit_every_cut_and_every_addition_is_refused() {
    let (sealer, owner) = (sealer(1), ann());
    let text = sealer.seal(Purpose::Session, &owner, b"0123456789").unwrap().into_bytes();
    let opens = |text: &[u8]| sealer.open(Purpose::Session, &owner, text).is_some();
    assert!(opens(&text));
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.clone();
            flipped[at] ^= 1 << bit;
            assert!(!opens(&flipped), "bit {bit} of byte {at}");
        }
        assert!(!opens(&text[..at]), "cut at {at}");
        assert!(!opens(&[&text[..at], &b"A"[..], &text[at..]].concat()), "longer at {at}");
    }
    for more in ["=", "A", " ", "\n", "."] {
        assert!(!opens(&[&text, more.as_bytes()].concat()), "{more:?} behind");
        assert!(!opens(&[more.as_bytes(), &text].concat()), "{more:?} before");
    }
    // Two halves of two good texts.
    let other = sealer.seal(Purpose::Session, &owner, b"9876543210").unwrap().into_bytes();
    for at in 1..text.len() {
        let spliced = [&text[..at], &other[at..]].concat();
        assert!(!opens(&spliced) || spliced == text || spliced == other, "spliced at {at}");
    }
}

#[test]
fn lengths_are_bounded_on_both_sides() {
    let (sealer, owner) = (sealer(1), ann());
    let longest = vec![b'x'; Sealer::MAX_PAYLOAD];
    let text = sealer.seal(Purpose::State, &owner, &longest).unwrap();
    assert_eq!(sealer.open(Purpose::State, &owner, text.as_bytes()).unwrap(), longest);
    assert_eq!(sealer.seal(Purpose::State, &owner, &vec![b'x'; Sealer::MAX_PAYLOAD + 1]), None);
    let long = Sealer::PREFIX.to_owned() + &"A".repeat(text.len());
    assert_eq!(sealer.open(Purpose::State, &owner, long.as_bytes()), None);
}

#[test]
fn keys_as_operators_write_them() {
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
    let same = [
        hex,
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1EFF",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=",
    ];
    let first = Key::parse(hex).unwrap();
    for text in same {
        assert_eq!(Key::parse(text).unwrap().bytes(), first.bytes(), "{text}");
    }
    let alphabets = [
        "++++////AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk=",
        "----____AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk",
    ];
    assert_eq!(
        Key::parse(alphabets[0]).unwrap().bytes(),
        Key::parse(alphabets[1]).unwrap().bytes()
    );
    for text in [
        "",
        "secret",
        hex.strip_suffix("ff").unwrap(),
        &format!("{hex}00"),
        &hex.replace("ff", "fg"),
        &"é".repeat(32),
        &"00".repeat(32),
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv9=",
        " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=",
    ] {
        assert!(Key::parse(text).is_none(), "{text:?}");
    }
    assert_eq!(format!("{first:?}"), "Key");
}

proptest! {
    /// No text opens but what was sealed.
    #[test]
    fn no_made_up_text_opens(text in prop::collection::vec(any::<u8>(), 0..200), is_prefixed: bool) {
        let mut made_up = if is_prefixed { Sealer::PREFIX.as_bytes().to_vec() } else { Vec::new() };
        made_up.extend(text);
        prop_assert_eq!(sealer(1).open(Purpose::Session, &ann(), &made_up), None);
    }

    /// Any payload comes back.
    #[test]
    fn any_payload_comes_back(payload in prop::collection::vec(any::<u8>(), 0..2000)) {
        let text = sealer(1).seal(Purpose::Task, &ann(), &payload).unwrap();
        prop_assert_eq!(sealer(1).open(Purpose::Task, &ann(), text.as_bytes()), Some(payload));
    }
}
