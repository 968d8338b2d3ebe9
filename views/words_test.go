package views

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"sollecito/internal/billing"
	"sollecito/internal/l10n"
)

// A bank account whose bank we do not know is a noun, a card goes by its network's name. Every sentence either may stand in
// is right with both in every language: with an article or a possessive that fits them, or set apart from them. The noun
// begins with a capital where it stands alone or first, and not inside a sentence, unless the language writes every noun so.
func TestABankAccountInWords(t *testing.T) {
	card := &CardOnFile{Method: billing.Method{ID: "pm_1", Type: "card", Brand: "visa", Last4: "4242"}}
	account := &CardOnFile{Method: billing.Method{ID: "pm_1", Type: "sepa_debit", Last4: "3000"}}
	for _, locale := range catalog(t).Locales() {
		tag := locale.Tag()
		want := waysInWords[tag]
		f := frameFor(catalog(t), tag, plainAsset)
		withCard, withAccount := wordsAbout(t, f, card), wordsAbout(t, f, account)
		if len(want) != len(withCard) {
			t.Errorf("%s: %d places are written out, want %d", tag, len(want), len(withCard))
			continue
		}
		for n := range want {
			if withCard[n] != want[n][0] {
				t.Errorf("%s: %q, want %q", tag, withCard[n], want[n][0])
			}
			if withAccount[n] != want[n][1] {
				t.Errorf("%s: %q, want %q", tag, withAccount[n], want[n][1])
			}
		}
	}
}

// No sentence about a card or account is left out above: alone, it stands on the pages without a sentence.
func TestEverySentenceAboutAWayToPayIsWrittenOut(t *testing.T) {
	for tag, written := range waysInWords {
		catalogue, err := os.ReadFile("../internal/l10n/locales/" + tag + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		sentences := strings.Count(string(catalogue), "{{.Card}}")
		if sentences != len(written)-1 {
			t.Errorf("%s: %d sentences name a card or account, %d are written out", tag, sentences, len(written)-1)
		}
	}
}

// wordsAbout is what the pages say about a card or account: first alone, then each sentence.
func wordsAbout(t *testing.T, f Frame, c *CardOnFile) []string {
	t.Helper()
	held := Held{CardOnFile: *c}
	amounts := []billing.Money{eur(2900)}
	tried, standing, underWay := due(f), due(f), due(f)
	tried.Thread = []Entry{{When: on(11, 10), Kind: Next, Said: Said{Key: "thread.retry", Args: l10n.Args{"Card": c}}}}
	standing.Promise = &Promise{On: on(11, 10), Charge: true, Amounts: amounts, Card: c}
	underWay.Promise = &Promise{On: on(11, 6), Charge: true, Amounts: amounts, Card: c, Under: true}
	paid := receipt()
	paid.With = c
	purse := document(t, Methods(MethodsPage{Frame: f, Methods: []Held{held}, Removed: c}))
	removing := document(t, Methods(MethodsPage{Frame: f, Removing: c}))
	remove := document(t, RemoveMethod(RemoveMethodPage{Frame: f, Method: held, Code: CodeEntry{Asked: true}}))
	review := PromiseReviewPage{Frame: f, Invoices: []Invoice{november()}, Card: c, On: on(11, 10), At: on(11, 10)}
	var all []string
	for _, place := range []*goquery.Selection{
		purse.Find(".sheet .row b"),
		document(t, Overview(tried)).Find(".thread .next").Contents().Not(".when"),
		document(t, Settled(SettledPage{Frame: f, Receipts: []Receipt{paid}})).Find(".list .row .small").First(),
		document(t, ChoosePromise(PromisePage{Frame: f, Card: c, Days: []time.Time{on(11, 10)}})).Find("label[for=charge] b"),
		document(t, ReviewPromise(review)).Find(".thread .next").First(),
		document(t, Overview(standing)).Find("#promise p").First(),
		document(t, Overview(underWay)).Find("#promise p").First(),
		purse.Find(".sheet a.tap"),
		purse.Find("[role=status] p"),
		removing.Find("[role=status] p"),
		remove.Find("title"),
		remove.Find("h1"),
		remove.Find("button.main-act span"),
	} {
		all = append(all, strings.Join(strings.Fields(place.Text()), " "))
	}
	return all
}

// waysInWords are the places of wordsAbout, with a card and with an account.
var waysInWords = map[string][][2]string{
	"en": {
		{"Visa ending 4242", "Bank account ending 3000"},
		{"We will try your Visa ending 4242 once more.", "We will try your bank account ending 3000 once more."},
		{"Paid on 6 November 2025, Visa ending 4242", "Paid on 6 November 2025, bank account ending 3000"},
		{"Charge my Visa ending 4242 that morning", "Charge my bank account ending 3000 that morning"},
		{"That morning at about 09:30 we will charge your Visa ending 4242, once.", "That morning at about 09:30 we will charge your bank account ending 3000, once."},
		{"On Monday 10 November we will charge €29.00 to your Visa ending 4242. No reminders until then.", "On Monday 10 November we will charge €29.00 to your bank account ending 3000. No reminders until then."},
		{"We are charging €29.00 to your Visa ending 4242 today. You will see here how it went.", "We are charging €29.00 to your bank account ending 3000 today. You will see here how it went."},
		{"Remove Visa ending 4242", "Remove bank account ending 3000"},
		{"Your Visa ending 4242 has been removed.", "Your bank account ending 3000 has been removed."},
		{"Your Visa ending 4242 is being removed. The payment service is not answering just now; we will finish this automatically.", "Your bank account ending 3000 is being removed. The payment service is not answering just now; we will finish this automatically."},
		{"Remove Visa ending 4242", "Remove bank account ending 3000"},
		{"Remove Visa ending 4242?", "Remove bank account ending 3000?"},
		{"Remove Visa ending 4242", "Remove bank account ending 3000"},
	},
	"it": {
		{"Visa che termina con 4242", "Conto bancario che termina con 3000"},
		{"Riproveremo l’addebito una volta (Visa che termina con 4242).", "Riproveremo l’addebito una volta (conto bancario che termina con 3000)."},
		{"Pagato in data 6 novembre 2025, Visa che termina con 4242", "Pagato in data 6 novembre 2025, conto bancario che termina con 3000"},
		{"Addebita quella mattina: Visa che termina con 4242", "Addebita quella mattina: conto bancario che termina con 3000"},
		{"Quella mattina, verso le 09:30, eseguiamo l’addebito una sola volta (Visa che termina con 4242).", "Quella mattina, verso le 09:30, eseguiamo l’addebito una sola volta (conto bancario che termina con 3000)."},
		{"Addebiteremo 29,00 € lunedì 10 novembre (Visa che termina con 4242). Fino ad allora nessun promemoria.", "Addebiteremo 29,00 € lunedì 10 novembre (conto bancario che termina con 3000). Fino ad allora nessun promemoria."},
		{"Oggi addebitiamo 29,00 € (Visa che termina con 4242). Qui vedrà l’esito.", "Oggi addebitiamo 29,00 € (conto bancario che termina con 3000). Qui vedrà l’esito."},
		{"Rimuovi: Visa che termina con 4242", "Rimuovi: conto bancario che termina con 3000"},
		{"Visa che termina con 4242: rimozione completata.", "Conto bancario che termina con 3000: rimozione completata."},
		{"Visa che termina con 4242: rimozione in corso. Il servizio di pagamento ora non risponde; la completeremo automaticamente.", "Conto bancario che termina con 3000: rimozione in corso. Il servizio di pagamento ora non risponde; la completeremo automaticamente."},
		{"Rimuovere: Visa che termina con 4242", "Rimuovere: conto bancario che termina con 3000"},
		{"Rimuovere: Visa che termina con 4242?", "Rimuovere: conto bancario che termina con 3000?"},
		{"Rimuovi: Visa che termina con 4242", "Rimuovi: conto bancario che termina con 3000"},
	},
	"de": {
		{"Visa mit den Endziffern 4242", "Bankkonto mit den Endziffern 3000"},
		{"Wir versuchen die Abbuchung noch einmal (Visa mit den Endziffern 4242).", "Wir versuchen die Abbuchung noch einmal (Bankkonto mit den Endziffern 3000)."},
		{"Bezahlt am 6. November 2025, Visa mit den Endziffern 4242", "Bezahlt am 6. November 2025, Bankkonto mit den Endziffern 3000"},
		{"An diesem Morgen abbuchen: Visa mit den Endziffern 4242", "An diesem Morgen abbuchen: Bankkonto mit den Endziffern 3000"},
		{"An diesem Morgen gegen 09:30 Uhr buchen wir ab, ein einziges Mal: Visa mit den Endziffern 4242.", "An diesem Morgen gegen 09:30 Uhr buchen wir ab, ein einziges Mal: Bankkonto mit den Endziffern 3000."},
		{"Am Montag, 10. November buchen wir 29,00 € ab (Visa mit den Endziffern 4242). Bis dahin keine Erinnerungen.", "Am Montag, 10. November buchen wir 29,00 € ab (Bankkonto mit den Endziffern 3000). Bis dahin keine Erinnerungen."},
		{"Wir buchen heute 29,00 € ab (Visa mit den Endziffern 4242). Hier sehen Sie, wie es ausgegangen ist.", "Wir buchen heute 29,00 € ab (Bankkonto mit den Endziffern 3000). Hier sehen Sie, wie es ausgegangen ist."},
		{"Entfernen: Visa mit den Endziffern 4242", "Entfernen: Bankkonto mit den Endziffern 3000"},
		{"Entfernt: Visa mit den Endziffern 4242.", "Entfernt: Bankkonto mit den Endziffern 3000."},
		{"Wird entfernt: Visa mit den Endziffern 4242. Der Zahlungsdienst antwortet gerade nicht; wir erledigen das von selbst.", "Wird entfernt: Bankkonto mit den Endziffern 3000. Der Zahlungsdienst antwortet gerade nicht; wir erledigen das von selbst."},
		{"Visa mit den Endziffern 4242 entfernen", "Bankkonto mit den Endziffern 3000 entfernen"},
		{"Visa mit den Endziffern 4242 entfernen?", "Bankkonto mit den Endziffern 3000 entfernen?"},
		{"Visa mit den Endziffern 4242 entfernen", "Bankkonto mit den Endziffern 3000 entfernen"},
	},
	"fr": {
		{"Visa se terminant par 4242", "Compte bancaire se terminant par 3000"},
		{"Nous ferons une nouvelle tentative (Visa se terminant par 4242).", "Nous ferons une nouvelle tentative (compte bancaire se terminant par 3000)."},
		{"Payé le 6 novembre 2025, Visa se terminant par 4242", "Payé le 6 novembre 2025, compte bancaire se terminant par 3000"},
		{"Prélever ce matin-là : Visa se terminant par 4242", "Prélever ce matin-là : compte bancaire se terminant par 3000"},
		{"Ce matin-là, vers 09:30, nous prélevons une seule fois : Visa se terminant par 4242.", "Ce matin-là, vers 09:30, nous prélevons une seule fois : compte bancaire se terminant par 3000."},
		{"Le lundi 10 novembre, nous prélèverons 29,00 € (Visa se terminant par 4242). D’ici là, aucun rappel.", "Le lundi 10 novembre, nous prélèverons 29,00 € (compte bancaire se terminant par 3000). D’ici là, aucun rappel."},
		{"Nous prélevons 29,00 € aujourd’hui (Visa se terminant par 4242). Vous verrez ici le résultat.", "Nous prélevons 29,00 € aujourd’hui (compte bancaire se terminant par 3000). Vous verrez ici le résultat."},
		{"Supprimer votre Visa se terminant par 4242", "Supprimer votre compte bancaire se terminant par 3000"},
		{"Suppression effectuée : Visa se terminant par 4242.", "Suppression effectuée : compte bancaire se terminant par 3000."},
		{"Suppression en cours : Visa se terminant par 4242. Le service de paiement ne répond pas pour l’instant ; nous la terminerons automatiquement.", "Suppression en cours : compte bancaire se terminant par 3000. Le service de paiement ne répond pas pour l’instant ; nous la terminerons automatiquement."},
		{"Supprimer votre Visa se terminant par 4242", "Supprimer votre compte bancaire se terminant par 3000"},
		{"Supprimer votre Visa se terminant par 4242 ?", "Supprimer votre compte bancaire se terminant par 3000 ?"},
		{"Supprimer votre Visa se terminant par 4242", "Supprimer votre compte bancaire se terminant par 3000"},
	},
	"es": {
		{"Visa terminada en 4242", "Cuenta bancaria terminada en 3000"},
		{"Intentaremos el cargo una vez más (Visa terminada en 4242).", "Intentaremos el cargo una vez más (cuenta bancaria terminada en 3000)."},
		{"Pagado el 6 de noviembre de 2025, Visa terminada en 4242", "Pagado el 6 de noviembre de 2025, cuenta bancaria terminada en 3000"},
		{"Hacer el cargo a mi Visa terminada en 4242 esa mañana", "Hacer el cargo a mi cuenta bancaria terminada en 3000 esa mañana"},
		{"Esa mañana, hacia las 9:30, hacemos el cargo a su Visa terminada en 4242, una sola vez.", "Esa mañana, hacia las 9:30, hacemos el cargo a su cuenta bancaria terminada en 3000, una sola vez."},
		{"El lunes, 10 de noviembre cobraremos 29,00 € en su Visa terminada en 4242. Hasta entonces, sin recordatorios.", "El lunes, 10 de noviembre cobraremos 29,00 € en su cuenta bancaria terminada en 3000. Hasta entonces, sin recordatorios."},
		{"Hoy cobramos 29,00 € en su Visa terminada en 4242. Aquí verá el resultado.", "Hoy cobramos 29,00 € en su cuenta bancaria terminada en 3000. Aquí verá el resultado."},
		{"Eliminar Visa terminada en 4242", "Eliminar cuenta bancaria terminada en 3000"},
		{"Eliminada: Visa terminada en 4242.", "Eliminada: cuenta bancaria terminada en 3000."},
		{"Visa terminada en 4242: la estamos eliminando. El servicio de pagos no responde ahora; lo terminaremos automáticamente.", "Cuenta bancaria terminada en 3000: la estamos eliminando. El servicio de pagos no responde ahora; lo terminaremos automáticamente."},
		{"Eliminar Visa terminada en 4242", "Eliminar cuenta bancaria terminada en 3000"},
		{"¿Eliminar Visa terminada en 4242?", "¿Eliminar cuenta bancaria terminada en 3000?"},
		{"Eliminar Visa terminada en 4242", "Eliminar cuenta bancaria terminada en 3000"},
	},
	"pt-BR": {
		{"Visa final 4242", "Conta bancária final 3000"},
		{"Vamos tentar mais uma vez (Visa final 4242).", "Vamos tentar mais uma vez (conta bancária final 3000)."},
		{"Pago em 6 de novembro de 2025, Visa final 4242", "Pago em 6 de novembro de 2025, conta bancária final 3000"},
		{"Cobrar nesse dia pela manhã: Visa final 4242", "Cobrar nesse dia pela manhã: conta bancária final 3000"},
		{"Nesse dia pela manhã, por volta das 09:30, fazemos o pagamento, uma única vez (Visa final 4242).", "Nesse dia pela manhã, por volta das 09:30, fazemos o pagamento, uma única vez (conta bancária final 3000)."},
		{"Pagamento de € 29,00 marcado para segunda-feira, 10 de novembro (Visa final 4242). Até lá, sem lembretes.", "Pagamento de € 29,00 marcado para segunda-feira, 10 de novembro (conta bancária final 3000). Até lá, sem lembretes."},
		{"Hoje fazemos o pagamento de € 29,00 (Visa final 4242). O resultado aparece aqui.", "Hoje fazemos o pagamento de € 29,00 (conta bancária final 3000). O resultado aparece aqui."},
		{"Remover Visa final 4242", "Remover conta bancária final 3000"},
		{"Remoção concluída: Visa final 4242.", "Remoção concluída: conta bancária final 3000."},
		{"Removendo: Visa final 4242. O serviço de pagamento não está respondendo agora; vamos concluir automaticamente.", "Removendo: conta bancária final 3000. O serviço de pagamento não está respondendo agora; vamos concluir automaticamente."},
		{"Remover Visa final 4242", "Remover conta bancária final 3000"},
		{"Remover Visa final 4242?", "Remover conta bancária final 3000?"},
		{"Remover Visa final 4242", "Remover conta bancária final 3000"},
	},
	"nl": {
		{"Visa eindigend op 4242", "Bankrekening eindigend op 3000"},
		{"We proberen het nog eens (Visa eindigend op 4242).", "We proberen het nog eens (bankrekening eindigend op 3000)."},
		{"Betaald op 6 november 2025, Visa eindigend op 4242", "Betaald op 6 november 2025, bankrekening eindigend op 3000"},
		{"Schrijf die ochtend af van mijn Visa eindigend op 4242", "Schrijf die ochtend af van mijn bankrekening eindigend op 3000"},
		{"Die ochtend rond 09:30 uur schrijven we één keer af van uw Visa eindigend op 4242.", "Die ochtend rond 09:30 uur schrijven we één keer af van uw bankrekening eindigend op 3000."},
		{"Op maandag 10 november schrijven we € 29,00 af van uw Visa eindigend op 4242. Tot dan geen herinneringen.", "Op maandag 10 november schrijven we € 29,00 af van uw bankrekening eindigend op 3000. Tot dan geen herinneringen."},
		{"We schrijven vandaag € 29,00 af van uw Visa eindigend op 4242. Hier ziet u hoe het ging.", "We schrijven vandaag € 29,00 af van uw bankrekening eindigend op 3000. Hier ziet u hoe het ging."},
		{"Verwijderen: Visa eindigend op 4242", "Verwijderen: bankrekening eindigend op 3000"},
		{"Uw Visa eindigend op 4242 is verwijderd.", "Uw bankrekening eindigend op 3000 is verwijderd."},
		{"Uw Visa eindigend op 4242 wordt verwijderd. De betaaldienst reageert nu niet; dit gaat automatisch verder.", "Uw bankrekening eindigend op 3000 wordt verwijderd. De betaaldienst reageert nu niet; dit gaat automatisch verder."},
		{"Visa eindigend op 4242 verwijderen", "Bankrekening eindigend op 3000 verwijderen"},
		{"Visa eindigend op 4242 verwijderen?", "Bankrekening eindigend op 3000 verwijderen?"},
		{"Visa eindigend op 4242 verwijderen", "Bankrekening eindigend op 3000 verwijderen"},
	},
	"pl": {
		{"Visa z końcówką 4242", "Konto bankowe z końcówką 3000"},
		{"Spróbujemy jeszcze raz: Visa z końcówką 4242.", "Spróbujemy jeszcze raz: konto bankowe z końcówką 3000."},
		{"Zapłacono 6 listopada 2025, Visa z końcówką 4242", "Zapłacono 6 listopada 2025, konto bankowe z końcówką 3000"},
		{"Automatyczna płatność tego dnia rano: Visa z końcówką 4242", "Automatyczna płatność tego dnia rano: konto bankowe z końcówką 3000"},
		{"Tego dnia rano, około 09:30, jeden raz pobierzemy płatność: Visa z końcówką 4242.", "Tego dnia rano, około 09:30, jeden raz pobierzemy płatność: konto bankowe z końcówką 3000."},
		{"10 listopada (poniedziałek) pobierzemy 29,00 € (Visa z końcówką 4242). Do tego czasu bez przypomnień.", "10 listopada (poniedziałek) pobierzemy 29,00 € (konto bankowe z końcówką 3000). Do tego czasu bez przypomnień."},
		{"Dzisiaj pobieramy 29,00 € (Visa z końcówką 4242). Wynik pojawi się tutaj.", "Dzisiaj pobieramy 29,00 € (konto bankowe z końcówką 3000). Wynik pojawi się tutaj."},
		{"Usuń: Visa z końcówką 4242", "Usuń: konto bankowe z końcówką 3000"},
		{"Usunięto: Visa z końcówką 4242.", "Usunięto: konto bankowe z końcówką 3000."},
		{"Usuwamy: Visa z końcówką 4242. Operator płatności teraz nie odpowiada; dokończymy to automatycznie.", "Usuwamy: konto bankowe z końcówką 3000. Operator płatności teraz nie odpowiada; dokończymy to automatycznie."},
		{"Usuń: Visa z końcówką 4242", "Usuń: konto bankowe z końcówką 3000"},
		{"Usunąć: Visa z końcówką 4242?", "Usunąć: konto bankowe z końcówką 3000?"},
		{"Usuń: Visa z końcówką 4242", "Usuń: konto bankowe z końcówką 3000"},
	},
	"ja": {
		{"Visa（末尾4242）", "銀行口座（末尾3000）"},
		{"Visa（末尾4242）で、もう一度決済を試みます。", "銀行口座（末尾3000）で、もう一度決済を試みます。"},
		{"2025年11月6日にお支払い済み、Visa（末尾4242）", "2025年11月6日にお支払い済み、銀行口座（末尾3000）"},
		{"当日の朝にVisa（末尾4242）から引き落とす", "当日の朝に銀行口座（末尾3000）から引き落とす"},
		{"当日の9:30ごろ、Visa（末尾4242）から1回引き落とします。", "当日の9:30ごろ、銀行口座（末尾3000）から1回引き落とします。"},
		{"11月10日（月）にVisa（末尾4242）から€29.00を引き落とします。それまでお知らせは届きません。", "11月10日（月）に銀行口座（末尾3000）から€29.00を引き落とします。それまでお知らせは届きません。"},
		{"本日、Visa（末尾4242）から€29.00を引き落とします。結果はこちらに表示されます。", "本日、銀行口座（末尾3000）から€29.00を引き落とします。結果はこちらに表示されます。"},
		{"削除：Visa（末尾4242）", "削除：銀行口座（末尾3000）"},
		{"Visa（末尾4242）を削除しました。", "銀行口座（末尾3000）を削除しました。"},
		{"Visa（末尾4242）を削除しています。決済サービスが現在応答していませんが、このまま自動で続けます。", "銀行口座（末尾3000）を削除しています。決済サービスが現在応答していませんが、このまま自動で続けます。"},
		{"Visa（末尾4242）の削除", "銀行口座（末尾3000）の削除"},
		{"Visa（末尾4242）を削除しますか？", "銀行口座（末尾3000）を削除しますか？"},
		{"Visa（末尾4242）を削除する", "銀行口座（末尾3000）を削除する"},
	},
	"ar": {
		{"Visa المنتهية بـ 4242", "الحساب البنكي المنتهي بـ 3000"},
		{"سنحاول الخصم من Visa المنتهية بـ 4242 مرة أخرى.", "سنحاول الخصم من الحساب البنكي المنتهي بـ 3000 مرة أخرى."},
		{"تم الدفع يوم 6 نوفمبر 2025، Visa المنتهية بـ 4242", "تم الدفع يوم 6 نوفمبر 2025، الحساب البنكي المنتهي بـ 3000"},
		{"الخصم من Visa المنتهية بـ 4242 صباح ذلك اليوم", "الخصم من الحساب البنكي المنتهي بـ 3000 صباح ذلك اليوم"},
		{"صباح ذلك اليوم نحو الساعة 9:30 ص سنخصم المبلغ من Visa المنتهية بـ 4242، مرة واحدة.", "صباح ذلك اليوم نحو الساعة 9:30 ص سنخصم المبلغ من الحساب البنكي المنتهي بـ 3000، مرة واحدة."},
		{"يوم الاثنين، 10 نوفمبر سنخصم \u200f29.00 € من Visa المنتهية بـ 4242. لا تذكيرات حتى ذلك الحين.", "يوم الاثنين، 10 نوفمبر سنخصم \u200f29.00 € من الحساب البنكي المنتهي بـ 3000. لا تذكيرات حتى ذلك الحين."},
		{"نخصم اليوم \u200f29.00 € من Visa المنتهية بـ 4242. ستظهر لك النتيجة هنا.", "نخصم اليوم \u200f29.00 € من الحساب البنكي المنتهي بـ 3000. ستظهر لك النتيجة هنا."},
		{"إزالة Visa المنتهية بـ 4242", "إزالة الحساب البنكي المنتهي بـ 3000"},
		{"تمت إزالة Visa المنتهية بـ 4242.", "تمت إزالة الحساب البنكي المنتهي بـ 3000."},
		{"تجري إزالة Visa المنتهية بـ 4242. خدمة الدفع لا تستجيب الآن، وسنكمل ذلك تلقائيًا.", "تجري إزالة الحساب البنكي المنتهي بـ 3000. خدمة الدفع لا تستجيب الآن، وسنكمل ذلك تلقائيًا."},
		{"إزالة Visa المنتهية بـ 4242", "إزالة الحساب البنكي المنتهي بـ 3000"},
		{"إزالة Visa المنتهية بـ 4242؟", "إزالة الحساب البنكي المنتهي بـ 3000؟"},
		{"إزالة Visa المنتهية بـ 4242", "إزالة الحساب البنكي المنتهي بـ 3000"},
	},
}
