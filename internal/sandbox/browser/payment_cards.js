/* What is known of card numbers: whose they are, how long, how written. */

const brands = [
  { name: 'Visa', starts: /^4/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: 'Mastercard', starts: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: 'Amex', starts: /^3[47]/, lengths: [15], cvc: 4, groups: [4, 6, 5] },
  { name: 'Diners', starts: /^3(0|6|8|9)/, lengths: [14, 16], cvc: 3, groups: [4, 6, 6] },
  { name: 'Discover', starts: /^(6011|64[4-9]|65)/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: 'JCB', starts: /^35/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: 'UnionPay', starts: /^62/, lengths: [16, 17, 18, 19], cvc: 3, groups: [4, 4, 4, 4, 3] },
];
const unknownBrand = { name: '', lengths: [16], cvc: 3, groups: [4, 4, 4, 4, 3] };

/* digits reads the digits of any script a keyboard may produce. */
export function digits(text) {
  return text.normalize('NFKC').replace(/[\u0660-\u0669\u06f0-\u06f9]/g, function (sign) {
    return String(sign.charCodeAt(0) & 15);
  }).replace(/\D/g, '');
}

export function brandOf(number) {
  return brands.find(function (brand) {
    return brand.starts.test(number);
  }) || unknownBrand;
}

export function luhn(number) {
  let sum = 0;
  for (let i = 0; i < number.length; i += 1) {
    let digit = Number(number[number.length - 1 - i]);
    if (i % 2 === 1) {
      digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    }
    sum += digit;
  }
  return sum % 10 === 0;
}

/* grouped writes a number as it is embossed on the card. */
export function grouped(number) {
  const parts = [];
  let from = 0;
  for (const size of brandOf(number).groups) {
    if (from < number.length) {
      parts.push(number.slice(from, from + size));
    }
    from += size;
  }
  return parts.join(' ');
}
