/* The words of the payment frame, by language, and its looks, by theme. */

export const allWords = {
  en: {
    number: 'Card number', expiry: 'Expiration date', cvc: 'Security code', year: 'YY', month: 'MM', code: 'CVC',
    incomplete_number: 'Your card number is incomplete.', invalid_number: 'Your card number is invalid.',
    incomplete_expiry: 'Your card\u2019s expiration date is incomplete.', invalid_expiry_month: 'Your card\u2019s expiration month is invalid.',
    invalid_expiry_year_past: 'Your card\u2019s expiration date is in the past.', incomplete_cvc: 'Your card\u2019s security code is incomplete.',
    types: 'Payment method', card: 'Card', sepa_debit: 'SEPA Direct Debit', iban: 'IBAN', name: 'Full name', email: 'Email',
    mandate: 'By giving your IBAN you allow the merchant to debit your account, now and for later payments. Your bank refunds a debit on request within 8 weeks.',
    incomplete_iban: 'Your IBAN is incomplete.', invalid_iban: 'Your IBAN is invalid.', incomplete_name: 'Please give your full name.', incomplete_email: 'Your email address is incomplete.',
  },
  it: {
    number: 'Numero di carta', expiry: 'Data di scadenza', cvc: 'Codice di sicurezza', year: 'AA', month: 'MM', code: 'CVC',
    incomplete_number: 'Il numero di carta \u00e8 incompleto.', invalid_number: 'Il numero di carta non \u00e8 valido.',
    incomplete_expiry: 'La data di scadenza della carta \u00e8 incompleta.', invalid_expiry_month: 'Il mese di scadenza della carta non \u00e8 valido.',
    invalid_expiry_year_past: 'La data di scadenza della carta \u00e8 passata.', incomplete_cvc: 'Il codice di sicurezza della carta \u00e8 incompleto.',
    types: 'Metodo di pagamento', card: 'Carta', sepa_debit: 'Addebito SEPA', iban: 'IBAN', name: 'Nome e cognome', email: 'Email',
    mandate: 'Fornendo l\u2019IBAN autorizzi l\u2019esercente ad addebitare il tuo conto, ora e per i pagamenti futuri. La banca rimborsa un addebito su richiesta entro 8 settimane.',
    incomplete_iban: 'L\u2019IBAN \u00e8 incompleto.', invalid_iban: 'L\u2019IBAN non \u00e8 valido.', incomplete_name: 'Inserisci nome e cognome.', incomplete_email: 'L\u2019indirizzo email \u00e8 incompleto.',
  },
  de: {
    number: 'Kartennummer', expiry: 'Ablaufdatum', cvc: 'Pr\u00fcfziffer', year: 'JJ', month: 'MM', code: 'CVC',
    incomplete_number: 'Die Kartennummer ist unvollst\u00e4ndig.', invalid_number: 'Die Kartennummer ist ung\u00fcltig.',
    incomplete_expiry: 'Das Ablaufdatum der Karte ist unvollst\u00e4ndig.', invalid_expiry_month: 'Der Ablaufmonat der Karte ist ung\u00fcltig.',
    invalid_expiry_year_past: 'Das Ablaufdatum der Karte liegt in der Vergangenheit.', incomplete_cvc: 'Die Pr\u00fcfziffer der Karte ist unvollst\u00e4ndig.',
    types: 'Zahlungsart', card: 'Karte', sepa_debit: 'SEPA-Lastschrift', iban: 'IBAN', name: 'Vollst\u00e4ndiger Name', email: 'E-Mail',
    mandate: 'Mit der Angabe Ihrer IBAN erlauben Sie dem H\u00e4ndler, Ihr Konto jetzt und f\u00fcr sp\u00e4tere Zahlungen zu belasten. Ihre Bank erstattet eine Lastschrift auf Wunsch innerhalb von 8 Wochen.',
    incomplete_iban: 'Die IBAN ist unvollst\u00e4ndig.', invalid_iban: 'Die IBAN ist ung\u00fcltig.', incomplete_name: 'Bitte geben Sie Ihren vollst\u00e4ndigen Namen an.', incomplete_email: 'Die E-Mail-Adresse ist unvollst\u00e4ndig.',
  },
  fr: {
    number: 'Num\u00e9ro de carte', expiry: 'Date d\u2019expiration', cvc: 'Code de s\u00e9curit\u00e9', year: 'AA', month: 'MM', code: 'CVC',
    incomplete_number: 'Le num\u00e9ro de carte est incomplet.', invalid_number: 'Le num\u00e9ro de carte est invalide.',
    incomplete_expiry: 'La date d\u2019expiration de la carte est incompl\u00e8te.', invalid_expiry_month: 'Le mois d\u2019expiration de la carte est invalide.',
    invalid_expiry_year_past: 'La date d\u2019expiration de la carte est pass\u00e9e.', incomplete_cvc: 'Le code de s\u00e9curit\u00e9 de la carte est incomplet.',
    types: 'Moyen de paiement', card: 'Carte', sepa_debit: 'Pr\u00e9l\u00e8vement SEPA', iban: 'IBAN', name: 'Nom complet', email: 'E-mail',
    mandate: 'En indiquant votre IBAN, vous autorisez le marchand \u00e0 d\u00e9biter votre compte, maintenant et pour les paiements futurs. Votre banque rembourse un pr\u00e9l\u00e8vement sur demande sous 8 semaines.',
    incomplete_iban: 'L\u2019IBAN est incomplet.', invalid_iban: 'L\u2019IBAN est invalide.', incomplete_name: 'Veuillez indiquer votre nom complet.', incomplete_email: 'L\u2019adresse e-mail est incompl\u00e8te.',
  },
  es: {
    number: 'N\u00famero de tarjeta', expiry: 'Fecha de caducidad', cvc: 'C\u00f3digo de seguridad', year: 'AA', month: 'MM', code: 'CVC',
    incomplete_number: 'El n\u00famero de tarjeta est\u00e1 incompleto.', invalid_number: 'El n\u00famero de tarjeta no es v\u00e1lido.',
    incomplete_expiry: 'La fecha de caducidad de la tarjeta est\u00e1 incompleta.', invalid_expiry_month: 'El mes de caducidad de la tarjeta no es v\u00e1lido.',
    invalid_expiry_year_past: 'La fecha de caducidad de la tarjeta ya ha pasado.', incomplete_cvc: 'El c\u00f3digo de seguridad de la tarjeta est\u00e1 incompleto.',
    types: 'M\u00e9todo de pago', card: 'Tarjeta', sepa_debit: 'Adeudo SEPA', iban: 'IBAN', name: 'Nombre completo', email: 'Correo electr\u00f3nico',
    mandate: 'Al indicar tu IBAN autorizas al comercio a cargar tu cuenta, ahora y en pagos futuros. Tu banco devuelve un adeudo a petici\u00f3n en un plazo de 8 semanas.',
    incomplete_iban: 'El IBAN est\u00e1 incompleto.', invalid_iban: 'El IBAN no es v\u00e1lido.', incomplete_name: 'Indica tu nombre completo.', incomplete_email: 'El correo electr\u00f3nico est\u00e1 incompleto.',
  },
};

export const looks = {
  stripe: {},
  flat: {},
  none: {},
  night: {
    '--primary': '#85d996', '--background': '#30313d', '--text': '#ffffff', '--secondary': '#c9ccd8',
    '--placeholder': '#a9adbd', '--danger': '#fe9db4', '--border': '#5b5e70',
  },
};

/* What a page may set by appearance.variables, and where it shows. */
export const variables = {
  colorPrimary: '--primary', colorBackground: '--background', colorText: '--text', colorTextSecondary: '--secondary',
  colorTextPlaceholder: '--placeholder', colorDanger: '--danger', fontFamily: '--font', fontSizeBase: '--size',
  borderRadius: '--radius', gridRowSpacing: '--gap',
};
