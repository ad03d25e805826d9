use syn::{DeriveInput, parse_quote};

use crate::from_row;

/// What the derive says of a struct that it refuses.
fn refused(input: &DeriveInput) -> String {
    match from_row::expand(input) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_struct_that_cannot_be_a_row_is_told_why() {
    let says = |input: DeriveInput, text: &str| {
        let message = refused(&input);
        assert!(message.contains(text), "{message:?}");
    };
    says(
        parse_quote!(union Both { a: u8, b: u8 }),
        "structs and enums",
    );
    says(
        parse_quote!(
            enum Never {}
        ),
        "without variants",
    );
    says(
        parse_quote!(
            enum State {
                Open,
                Ajar(u8),
            }
        ),
        "a variant with fields",
    );
    says(
        parse_quote!(
            enum State {
                #[row(default)]
                Open,
            }
        ),
        "no default",
    );
    says(
        parse_quote!(
            struct Nothing;
        ),
        "a struct with fields",
    );
    says(
        parse_quote!(
            struct Name<'a> {
                name: &'a str,
            }
        ),
        "cannot borrow",
    );
    says(
        parse_quote!(
            struct Name {
                #[row(rename = "x")]
                name: String,
            }
        ),
        "expected name = \"…\" or default",
    );
    says(
        parse_quote!(
            struct Name {
                #[row(default, default)]
                name: String,
            }
        ),
        "given twice",
    );
    says(
        parse_quote!(
            struct Pair(#[row(name = "a/b")] String, i64);
        ),
        "read by position",
    );
}

#[test]
fn names_and_bounds_are_written_once() {
    let input: DeriveInput = parse_quote! {
        struct User<T> {
            #[row(name = "users/email")]
            email: String,
            #[row(default)]
            r#type: T,
        }
    };
    let written = from_row::expand(&input).expect("it is a row").to_string();
    assert!(written.contains("Exact (\"users/email\")"), "{written}");
    assert!(written.contains("Like (\"type\")"), "{written}");
    assert!(written.contains("T : :: datomite :: FromEdn"), "{written}");
    assert!(written.contains("read_or_default"), "{written}");
}
