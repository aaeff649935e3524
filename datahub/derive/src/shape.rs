//! The shape of a struct, checked: what a derive can see without knowing types.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Meta, Result, Token};

/// A struct that can have a schema, as far as its text tells.
pub(crate) struct Shape<'a> {
    /// What the layout is called.
    pub(crate) name: String,
    /// The fields, each with a name.
    pub(crate) fields: Vec<&'a Field>,
}

impl<'a> Shape<'a> {
    /// Checks the struct; all that is wrong comes in one error.
    pub(crate) fn of(input: &'a DeriveInput) -> Result<Self> {
        let mut wrong = Vec::new();
        if !input.generics.params.is_empty() {
            let why = "a layout has no parameters: write the types out";
            wrong.push(Error::new(input.generics.span(), why));
        }
        wrong.extend(representation(input).err());
        let name = named(&input.attrs).unwrap_or_else(|error| {
            wrong.push(error);
            None
        });
        let fields = fields(input).unwrap_or_else(|error| {
            wrong.push(error);
            Vec::new()
        });
        wrong.extend(letters(input, name.is_none(), &fields));
        let mut wrong = wrong.into_iter();
        if let Some(first) = wrong.next() {
            return Err(wrong.fold(first, |mut all, next| {
                all.combine(next);
                all
            }));
        }
        Ok(Self { name: name.unwrap_or_else(|| input.ident.to_string()), fields })
    }
}

fn fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    let refused = |what: &str| {
        let why = format!("{what} cannot have a schema: use a struct with named fields");
        Err(Error::new(input.ident.span(), why))
    };
    match &input.data {
        Data::Enum(_) => refused("an enum, of which not every bit pattern is a value,"),
        Data::Union(_) => refused("a union"),
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => Ok(fields.named.iter().collect()),
            Fields::Named(_) | Fields::Unit => refused("a struct without fields"),
            Fields::Unnamed(_) => refused("a tuple struct"),
        },
    }
}

/// Names that could not stand in a header, which everybody must be able to print.
fn letters(input: &DeriveInput, names_itself: bool, fields: &[&Field]) -> Vec<Error> {
    let unfit = |name: &Ident| !name.to_string().is_ascii();
    let own = (names_itself && unfit(&input.ident)).then(|| {
        let why = "a layout's name is plain ASCII: add #[schema(name = \"…\")]";
        Error::new(input.ident.span(), why)
    });
    let named = fields.iter().filter_map(|field| field.ident.as_ref());
    let why = "the name of a field in a schema is plain ASCII: rename the field";
    let fields = named.filter(|name| unfit(name)).map(|name| Error::new(name.span(), why));
    own.into_iter().chain(fields).collect()
}

/// The struct is `repr(C)`, perhaps aligned, and not packed.
fn representation(input: &DeriveInput) -> Result<()> {
    let mut is_c = false;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        for word in &words {
            is_c |= word.path().is_ident("C");
            if word.path().is_ident("packed") {
                let why = "a packed struct cannot be lent field by field: order the fields instead";
                return Err(Error::new(word.span(), why));
            }
        }
    }
    let why = "the layout must be fixed: add #[repr(C)]";
    if is_c { Ok(()) } else { Err(Error::new(input.ident.span(), why)) }
}

/// What `#[schema(name = "…")]` says.
fn named(attributes: &[Attribute]) -> Result<Option<String>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("schema")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("the only key is `name`"));
            }
            let text: LitStr = meta.value()?.parse()?;
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
            if text.value().is_empty() || !text.value().chars().all(plain) {
                let why = "a layout's name has letters, digits, '_', '.' and '-' only";
                return Err(Error::new(text.span(), why));
            }
            name = Some(text.value());
            Ok(())
        })?;
    }
    Ok(name)
}
