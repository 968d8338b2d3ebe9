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
  pt: {
    number: 'N\u00famero do cart\u00e3o', expiry: 'Data de validade', cvc: 'C\u00f3digo de seguran\u00e7a', year: 'AA', month: 'MM', code: 'CVC',
    incomplete_number: 'O n\u00famero do cart\u00e3o est\u00e1 incompleto.', invalid_number: 'O n\u00famero do cart\u00e3o \u00e9 inv\u00e1lido.',
    incomplete_expiry: 'A data de validade do cart\u00e3o est\u00e1 incompleta.', invalid_expiry_month: 'O m\u00eas de validade do cart\u00e3o \u00e9 inv\u00e1lido.',
    invalid_expiry_year_past: 'A data de validade do cart\u00e3o j\u00e1 passou.', incomplete_cvc: 'O c\u00f3digo de seguran\u00e7a do cart\u00e3o est\u00e1 incompleto.',
    types: 'Forma de pagamento', card: 'Cart\u00e3o', sepa_debit: 'D\u00e9bito direto SEPA', iban: 'IBAN', name: 'Nome completo', email: 'E-mail',
    mandate: 'Ao informar seu IBAN, voc\u00ea autoriza o estabelecimento a debitar sua conta, agora e em pagamentos futuros. Seu banco devolve um d\u00e9bito a pedido em at\u00e9 8 semanas.',
    incomplete_iban: 'O IBAN est\u00e1 incompleto.', invalid_iban: 'O IBAN \u00e9 inv\u00e1lido.', incomplete_name: 'Informe seu nome completo.', incomplete_email: 'O e-mail est\u00e1 incompleto.',
  },
  nl: {
    number: 'Kaartnummer', expiry: 'Vervaldatum', cvc: 'Beveiligingscode', year: 'JJ', month: 'MM', code: 'CVC',
    incomplete_number: 'Het kaartnummer is onvolledig.', invalid_number: 'Het kaartnummer is ongeldig.',
    incomplete_expiry: 'De vervaldatum van de kaart is onvolledig.', invalid_expiry_month: 'De vervalmaand van de kaart is ongeldig.',
    invalid_expiry_year_past: 'De vervaldatum van de kaart ligt in het verleden.', incomplete_cvc: 'De beveiligingscode van de kaart is onvolledig.',
    types: 'Betaalmethode', card: 'Kaart', sepa_debit: 'SEPA-incasso', iban: 'IBAN', name: 'Volledige naam', email: 'E-mail',
    mandate: 'Door uw IBAN te geven machtigt u de verkoper om uw rekening nu en voor latere betalingen te belasten. Uw bank betaalt een incasso op verzoek binnen 8 weken terug.',
    incomplete_iban: 'Het IBAN is onvolledig.', invalid_iban: 'Het IBAN is ongeldig.', incomplete_name: 'Vul uw volledige naam in.', incomplete_email: 'Het e-mailadres is onvolledig.',
  },
  pl: {
    number: 'Numer karty', expiry: 'Data wa\u017cno\u015bci', cvc: 'Kod zabezpieczaj\u0105cy', year: 'RR', month: 'MM', code: 'CVC',
    incomplete_number: 'Numer karty jest niepe\u0142ny.', invalid_number: 'Numer karty jest nieprawid\u0142owy.',
    incomplete_expiry: 'Data wa\u017cno\u015bci karty jest niepe\u0142na.', invalid_expiry_month: 'Miesi\u0105c wa\u017cno\u015bci karty jest nieprawid\u0142owy.',
    invalid_expiry_year_past: 'Data wa\u017cno\u015bci karty ju\u017c min\u0119\u0142a.', incomplete_cvc: 'Kod zabezpieczaj\u0105cy karty jest niepe\u0142ny.',
    types: 'Metoda p\u0142atno\u015bci', card: 'Karta', sepa_debit: 'Polecenie zap\u0142aty SEPA', iban: 'IBAN', name: 'Imi\u0119 i\u00a0nazwisko', email: 'E-mail',
    mandate: 'Podanie numeru IBAN upowa\u017cnia sprzedawc\u0119 do obci\u0105\u017cenia rachunku teraz i\u00a0przy kolejnych p\u0142atno\u015bciach. Bank zwraca pobran\u0105 kwot\u0119 na \u017c\u0105danie w\u00a0ci\u0105gu 8 tygodni.',
    incomplete_iban: 'Numer IBAN jest niepe\u0142ny.', invalid_iban: 'Numer IBAN jest nieprawid\u0142owy.', incomplete_name: 'Prosz\u0119 poda\u0107 imi\u0119 i\u00a0nazwisko.', incomplete_email: 'Adres e-mail jest niepe\u0142ny.',
  },
  ja: {
    number: '\u30ab\u30fc\u30c9\u756a\u53f7', expiry: '\u6709\u52b9\u671f\u9650', cvc: '\u30bb\u30ad\u30e5\u30ea\u30c6\u30a3\u30b3\u30fc\u30c9', year: 'YY', month: 'MM', code: 'CVC',
    incomplete_number: '\u30ab\u30fc\u30c9\u756a\u53f7\u304c\u4e0d\u5b8c\u5168\u3067\u3059\u3002', invalid_number: '\u30ab\u30fc\u30c9\u756a\u53f7\u304c\u7121\u52b9\u3067\u3059\u3002',
    incomplete_expiry: '\u30ab\u30fc\u30c9\u306e\u6709\u52b9\u671f\u9650\u304c\u4e0d\u5b8c\u5168\u3067\u3059\u3002', invalid_expiry_month: '\u30ab\u30fc\u30c9\u306e\u6709\u52b9\u671f\u9650\u306e\u6708\u304c\u7121\u52b9\u3067\u3059\u3002',
    invalid_expiry_year_past: '\u30ab\u30fc\u30c9\u306e\u6709\u52b9\u671f\u9650\u304c\u904e\u304e\u3066\u3044\u307e\u3059\u3002', incomplete_cvc: '\u30ab\u30fc\u30c9\u306e\u30bb\u30ad\u30e5\u30ea\u30c6\u30a3\u30b3\u30fc\u30c9\u304c\u4e0d\u5b8c\u5168\u3067\u3059\u3002',
    types: '\u304a\u652f\u6255\u3044\u65b9\u6cd5', card: '\u30ab\u30fc\u30c9', sepa_debit: 'SEPA\u53e3\u5ea7\u632f\u66ff', iban: 'IBAN', name: '\u6c0f\u540d', email: '\u30e1\u30fc\u30eb\u30a2\u30c9\u30ec\u30b9',
    mandate: 'IBAN\u3092\u5165\u529b\u3059\u308b\u3068\u3001\u4eca\u56de\u304a\u3088\u3073\u4eca\u5f8c\u306e\u304a\u652f\u6255\u3044\u306b\u3064\u3044\u3066\u3001\u52a0\u76df\u5e97\u306b\u3088\u308b\u53e3\u5ea7\u304b\u3089\u306e\u5f15\u304d\u843d\u3068\u3057\u3092\u627f\u8a8d\u3057\u305f\u3053\u3068\u306b\u306a\u308a\u307e\u3059\u3002\u5f15\u304d\u843d\u3068\u3057\u306f8\u9031\u9593\u4ee5\u5185\u3067\u3042\u308c\u3070\u3001\u9280\u884c\u306b\u8fd4\u91d1\u3092\u8acb\u6c42\u3067\u304d\u307e\u3059\u3002',
    incomplete_iban: 'IBAN\u304c\u4e0d\u5b8c\u5168\u3067\u3059\u3002', invalid_iban: 'IBAN\u304c\u7121\u52b9\u3067\u3059\u3002', incomplete_name: '\u6c0f\u540d\u3092\u5165\u529b\u3057\u3066\u304f\u3060\u3055\u3044\u3002', incomplete_email: '\u30e1\u30fc\u30eb\u30a2\u30c9\u30ec\u30b9\u304c\u4e0d\u5b8c\u5168\u3067\u3059\u3002',
  },
  ar: {
    number: '\u0631\u0642\u0645 \u0627\u0644\u0628\u0637\u0627\u0642\u0629', expiry: '\u062a\u0627\u0631\u064a\u062e \u0627\u0644\u0627\u0646\u062a\u0647\u0627\u0621', cvc: '\u0631\u0645\u0632 \u0627\u0644\u0623\u0645\u0627\u0646', year: '\u0633\u0646\u0629', month: '\u0634\u0647\u0631', code: 'CVC',
    incomplete_number: '\u0631\u0642\u0645 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u063a\u064a\u0631 \u0645\u0643\u062a\u0645\u0644.', invalid_number: '\u0631\u0642\u0645 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u063a\u064a\u0631 \u0635\u0627\u0644\u062d.',
    incomplete_expiry: '\u062a\u0627\u0631\u064a\u062e \u0627\u0646\u062a\u0647\u0627\u0621 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u063a\u064a\u0631 \u0645\u0643\u062a\u0645\u0644.', invalid_expiry_month: '\u0634\u0647\u0631 \u0627\u0646\u062a\u0647\u0627\u0621 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u063a\u064a\u0631 \u0635\u0627\u0644\u062d.',
    invalid_expiry_year_past: '\u062a\u0627\u0631\u064a\u062e \u0627\u0646\u062a\u0647\u0627\u0621 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u0642\u062f \u0645\u0636\u0649.', incomplete_cvc: '\u0631\u0645\u0632 \u0623\u0645\u0627\u0646 \u0627\u0644\u0628\u0637\u0627\u0642\u0629 \u063a\u064a\u0631 \u0645\u0643\u062a\u0645\u0644.',
    types: '\u0637\u0631\u064a\u0642\u0629 \u0627\u0644\u062f\u0641\u0639', card: '\u0628\u0637\u0627\u0642\u0629', sepa_debit: '\u0627\u0644\u062e\u0635\u0645 \u0627\u0644\u0645\u0628\u0627\u0634\u0631 SEPA', iban: 'IBAN', name: '\u0627\u0644\u0627\u0633\u0645 \u0627\u0644\u0643\u0627\u0645\u0644', email: '\u0627\u0644\u0628\u0631\u064a\u062f \u0627\u0644\u0625\u0644\u0643\u062a\u0631\u0648\u0646\u064a',
    mandate: '\u0628\u062a\u0642\u062f\u064a\u0645 \u0631\u0642\u0645 IBAN \u062a\u064f\u062c\u064a\u0632 \u0644\u0644\u062a\u0627\u062c\u0631 \u0627\u0644\u062e\u0635\u0645 \u0645\u0646 \u062d\u0633\u0627\u0628\u0643 \u0627\u0644\u0622\u0646 \u0648\u0641\u064a \u0627\u0644\u062f\u0641\u0639\u0627\u062a \u0627\u0644\u0645\u0642\u0628\u0644\u0629. \u064a\u0639\u064a\u062f \u0627\u0644\u0628\u0646\u0643 \u0645\u0628\u0644\u063a \u0627\u0644\u062e\u0635\u0645 \u0639\u0646\u062f \u0627\u0644\u0637\u0644\u0628 \u062e\u0644\u0627\u0644 8 \u0623\u0633\u0627\u0628\u064a\u0639.',
    incomplete_iban: '\u0631\u0642\u0645 IBAN \u063a\u064a\u0631 \u0645\u0643\u062a\u0645\u0644.', invalid_iban: '\u0631\u0642\u0645 IBAN \u063a\u064a\u0631 \u0635\u0627\u0644\u062d.', incomplete_name: '\u064a\u064f\u0631\u062c\u0649 \u0643\u062a\u0627\u0628\u0629 \u0627\u0644\u0627\u0633\u0645 \u0627\u0644\u0643\u0627\u0645\u0644.', incomplete_email: '\u0627\u0644\u0628\u0631\u064a\u062f \u0627\u0644\u0625\u0644\u0643\u062a\u0631\u0648\u0646\u064a \u063a\u064a\u0631 \u0645\u0643\u062a\u0645\u0644.',
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
