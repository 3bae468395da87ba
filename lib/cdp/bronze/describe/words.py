"""What columns are called, in the languages of the shops: from a column's name to what it means.

A meaning is a canonical field of docs/sources.md where there is one. `name`, `status`, `id` and the like mean what
their neighbours let them mean; that is settled by the module that proposes the mapping.
"""

import re
from functools import cache

from anyascii import anyascii

_PEOPLE = {
    "given_name": "firstname fname givenname forename namefirst given prenom vorname rufname nombredepila primernombre "
    "voornaam primeironome first",
    "family_name": "lastname lname surname familyname namelast last nomdefamille nachname familienname zuname apellido "
    "apellidos primerapellido cognome achternaam familienaam sobrenome apelido",
    "middle_name": "middlename mname namemiddle middleinitial deuxiemeprenom zweitervorname segundonombre tweedenaam",
    "full_name": "fullname displayname namefull customername clientname contactname personname nomcomplet nomprenom "
    "nometprenom prenomnom vollername vollstandigername kundenname nombrecompleto nombreyapellidos nomecompleto "
    "nomecognome nomeecognome volledigenaam accountname cardholder",
    "any_name": "name nom nombre nome naam",
    "name_suffix": "suffix namesuffix generationalsuffix",
    "native_name": "nativename namenative nativenamefull namenativefull",
    "salutation": "salutation anrede civilite tratamiento titolo aanhef tratamento honorific",
    "title": "title titel titre",
    "birth_date": "birthdate dateofbirth dob birthday bday birth datenaissance datedenaissance naissance geburtsdatum "
    "geburtstag gebdat gebdatum fechanacimiento fechadenacimiento fecnac datanascita datadinascita geboortedatum "
    "datanascimento datadenascimento",
    "birth_year": "birthyear yearofbirth yob anneenaissance anneedenaissance geburtsjahr gebjahr annonascita "
    "annodinascita anonacimiento anodenacimiento geboortejaar anonascimento",
    "gender": "gender sex sexe geschlecht sexo sesso genere genero geslacht",
    "email": "email emailaddress emailaddr mail mailaddress emailadress courriel adressemail adresseemail "
    "adresseelectronique emailadresse mailadresse correo correoelectronico direccioncorreo posta postaelettronica "
    "indirizzoemail emailadres enderecoemail",
    "phone": "phone phonenumber phoneno telephone tel telno telephonenumber mobile mobilephone mobilenumber mobileno "
    "cell cellphone cellnumber msisdn portable telportable telfixe telephoneportable numtel numerotelephone telefon "
    "telefonnummer handy handynummer mobil mobilnummer rufnummer telefono numerotelefono telefonomovil movil cellulare "
    "telefoon telefoonnummer mobiel telemovel celular telefone gsm fax faxnumber whatsapp",
    "street": "street streetaddress streetname streetandnumber address1 addressline1 addr1 addrline1 line1 addressstreet "
    "adresse1 adresseligne1 rue voie strasse str strassehausnummer strassehausnr strasseundhausnummer calle direccion1 "
    "domicilio via indirizzo1 straat straatnaam rua logradouro",
    "house_number": "streetnumber housenumber houseno hausnummer hausnr numerorue streetno numerocivico huisnummer "
    "numerocalle",
    "street_2": "street2 address2 addressline2 addr2 addrline2 line2 adresse2 adresseligne2 complement "
    "complementadresse adresszusatz direccion2 indirizzo2 apartment apt unit suite toevoeging",
    "city": "city town ville stadt ort wohnort ciudad poblacion citta comune stad plaats woonplaats cidade suburb "
    "locality localidad localita municipality commune cityname",
    "region": "state province region county bundesland departement provincia regione estado statecode stateprovince "
    "provincie provincecode regioncode",
    "postal_code": "zip zipcode postcode postalcode cp codepostal plz postleitzahl codigopostal cap codicepostale cep "
    "postnr",
    "country": "country countrycode countryname pays codepays land landcode laendercode staat paese pais nation "
    "isocountry countryiso codpais",
    "address": "address adresse anschrift direccion indirizzo adres endereco morada fulladdress addrfull addressfull "
    "postaladdress adressecomplete adressepostale mailingaddress lieferadresse rechnungsadresse",
    "language": "language lang langue sprache idioma lingua taal preferredlanguage languagecode",
    "locale": "locale",
    "loyalty_id": "cardno cardnumber loyaltyid loyaltycard loyaltycardno loyaltycardnumber loyaltynumber loyaltyno "
    "membercard memberid membershipid membershipnumber memberno membernumber kartennummer kartennr kundenkarte "
    "kundenkartennummer numerocarte numcarte carte cartefidelite numerocartefidelite tarjeta numerotarjeta "
    "tarjetafidelidad numerotessera tessera cartafedelta klantenkaart cartaofidelidade",
    "crm_id": "contactid crmid accountid leadcontactid",
    "customer_no": "customerid customerno customernumber customernr customerref customerkey customercode custid custno "
    "clientid clientno clientnumber codeclient numeroclient numclient idclient refclient kundennr kundennummer "
    "kundenid kdnr idcliente numerocliente numcliente codigocliente codicecliente klantnummer klantid buyerid "
    "householdid personid",
    "user_id": "userid uid useraccount loginid login username utilisateurid idutilisateur benutzerid benutzername usuario "
    "utente gebruiker gebruikersnaam",
    "anonymous_id": "anonymousid visitorid cookieid browserid gaclientid",
    "device_id": "deviceid idfa gaid advertisingid devicetoken",
    "subscriber_id": "subscriberid abonneid",
    "social_handle": "handle socialhandle twitterhandle instagramhandle screenname nickname pseudo",
}
_PERSONAL_ONLY = {
    "ip": "ip ipaddress ipaddr clientip remoteaddr adresseip",
    "iban": "iban bankaccount accountnumber kontonummer rib bic",
    "national_id": "ssn ssnnumber socialsecurity socialsecuritynumber socsecid nationalid nationalidnumber passport "
    "passportnumber driverslicense driverslicensenumber driverlicense taxid taxidnumber taxnumber nif dni nie "
    "codicefiscale bsn cpf nir numerosecu steuernummer steuerid sozialversicherungsnummer nhsnumber",
    "payment_card": "creditcard creditcardnumber ccnumber pan cardpan kreditkarte kreditkartennummer",
    "secret": "password passwordhash passwort motdepasse contrasena pwd",
    "place": "latitude longitude lat lon lng geolocation",
    "relative": "maidenname mothersmaidenname mothername fathername spouse nomdejeunefille geburtsname",
    "staff": "employee employeeid cashier salesperson salesrep agent agentname vendeur caissier verkaufer kassierer "
    "mitarbeiter vendedor commesso cassiere medewerker assignee createdby updatedby modifiedby author owner "
    "manager employeename",
}
_TIMES = {
    "updated_at": "updatedat updated updatedon updatedtime lastupdate lastupdated lastupdatedat lastmodified "
    "lastmodifiedat lastmodifieddate modifiedat modified modifieddate modifiedon datemodified modificationdate lastchange "
    "lastchanged changedat changed systemmodstamp datemiseajour datemaj misajourle datemodification "
    "datedemodification geandertam anderungsdatum letzteanderung aktualisiertam fechamodificacion fechaactualizacion "
    "ultimamodificacion datamodifica ultimamodifica dataaggiornamento gewijzigdop dataatualizacao dataalteracao",
    "created_at": "createdat created createdon createdtime creationdate datecreated createddate createddatetime "
    "signupdate signupat signedupat signedupon registeredat registeredon registrationdate subscribedat subscribedon "
    "subscriptiondate enrolledon enrolledat enrolmentdate enrollmentdate joined joinedat joinedon joindate membersince "
    "customersince datecreation datedecreation dateinscription erstelltam angelegtam anlagedatum registriertam "
    "fechacreacion fechaalta fecharegistro datacreazione dataiscrizione aangemaaktop datacriacao datacadastro openedat",
    "occurred_at": "timestamp occurredat occurredon eventtime eventtimestamp eventdate eventat ts time datetime "
    "originaltimestamp happenedat senttime zeitpunkt zeitstempel horodatage",
    "ordered_at": "orderedat orderedon orderdate ordertime orderdatetime invoicedate soldat soldon saledate "
    "transactiondate transactiontime transactionat purchasedate purchasedat receiptdate receipttime datecommande "
    "datedecommande dateachat datefacture bestelldatum auftragsdatum kaufdatum rechnungsdatum belegdatum verkaufsdatum "
    "fechapedido fechacompra fechafactura dataordine dataacquisto datafattura besteldatum datapedido datacompra placedat "
    "processedat",
    "captured_at": "capturedat consentdate consentat consenttime consenttimestamp consentedat",
    "opt_in_at": "optinat optindate optintime optintimestamp emailoptinat dateoptin",
    "expires_at": "expiresat expireson expirydate expirationdate validuntil expiry",
    "unsubscribed_at": "unsubscribedat unsubscribedon optoutat optoutdate datedesinscription",
    "day": "day date reportdate jour tag datum dia giorno dag fecha data",
}
_TRADE = {
    "order_id": "orderid orderno ordernumber ordernum ordernr orderref invoiceno invoiceid invoicenumber invoicenr "
    "receiptid receiptno receiptnumber transactionid transactionno transactionnumber basketid bestellnr bestellnummer "
    "auftragsnr auftragsnummer belegnr belegnummer bonnr rechnungsnr rechnungsnummer numerocommande idcommande "
    "nocommande numcommande commandeid numerofacture numfacture numeroticket numpedido numeropedido idpedido "
    "numerofactura numeroordine idordine ordernummer bestelnummer factuurnummer numerodopedido",
    "line_no": "lineno linenumber lineid linenum linenr itemno itemnumber position pos posnr positionsnr zeile zeilennr "
    "numeroligne noligne numligne ligne linea numerolinea riga numeroriga regelnummer linha line",
    "product_id": "productid productno productnumber productcode productsku sku stockcode articleid articleno "
    "articlenumber itemid itemcode itemsku artikelnr artikelnummer artnr codeproduit codearticle refproduit "
    "referenceproduit refarticle codigoproducto codigoarticulo codiceprodotto codicearticolo productnummer codigoproduto "
    "ean ean13 gtin upc asin variantid variantsku isbn",
    "product_name": "productname itemname articlename producttitle description bezeichnung artikelbezeichnung "
    "artikelname designation libelle nomproduit nombreproducto nomeprodotto descripcion descrizione omschrijving "
    "descricao beschreibung",
    "category": "category productcategory categoryname categorie kategorie warengruppe categoria rayon productgroup "
    "producttype",
    "brand": "brand brandname marque marke marca merk manufacturer hersteller fabricant",
    "quantity": "quantity qty qte quantite menge anzahl stuck stuckzahl cantidad unidades quantita aantal quantidade "
    "units unitssold numberofitems",
    "unit_price": "unitprice price listprice prix prixunitaire prixvente einzelpreis preis stuckpreis verkaufspreis "
    "precio preciounitario prezzo prezzounitario stuksprijs prijs preco precounitario itemprice",
    "amount": "linetotal lineamount linevalue extendedprice zeilensumme positionsbetrag montantligne totalligne "
    "totallinea importelinea totaleriga regeltotaal totallinha",
    "total": "total totalprice totalamount totalvalue ordertotal orderamount ordervalue grandtotal amount montant "
    "montanttotal totalttc gesamtbetrag gesamt gesamtsumme betrag summe umsatz importe importetotal totale importo "
    "totaal bedrag totaalbedrag valor valortotal revenue amountpaid",
    "discount": "discount discountamount discounts totaldiscount totaldiscounts rabatt remise descuento sconto korting "
    "desconto",
    "shipping": "shipping shippingprice shippingcost shippingamount shippingfee totalshipping freight deliveryfee "
    "fraisport fraisdeport versand versandkosten gastosenvio spedizione spesespedizione verzendkosten frete",
    "tax": "tax totaltax taxamount vat vatamount tva montanttva mwst ust iva btw imposto",
    "coupon": "coupon couponcode promocode vouchercode discountcode codepromo gutschein gutscheincode cupon "
    "codigopromocional kortingscode cupom",
    "currency": "currency currencycode currencyiso devise wahrung moneda valuta moeda",
    "store_id": "storeid store storecode storeno shopid branch branchid branchcode filiale filialnr filialnummer magasin "
    "codemagasin boutique tienda negozio winkel filiaal loja",
    "channel": "channel saleschannel canal canalvente kanal vertriebskanal canale kanaal",
    "status": "status orderstatus statut stato situacao zustand",
    "refers_to": "refersto returnof refundof originalorderid originalorder originalinvoice parentorderid",
    "in_stock": "instock available isavailable disponible lagernd verfugbar enstock disponibile",
    "cost": "cost unitcost costprice costs spend adspend amountspent mediacost kosten ausgaben einkaufspreis depense "
    "depenses cout prixachat gasto coste costo custo spesa",
}
_ACTS = {
    "event": "event eventname eventtype action activity activitytype ereignis evenement evento gebeurtenis",
    "event_id": "eventid messageid hitid activityid",
    "session_id": "sessionid session visitid",
    "campaign": "campaign campaignname utmcampaign kampagne campagne campana campagna campanha",
    "campaign_source": "utmsource campaignsource",
    "campaign_medium": "utmmedium campaignmedium",
    "campaign_content": "utmcontent campaigncontent",
    "campaign_term": "utmterm campaignterm",
    "impressions": "impressions impr impressionen impresiones impressioni",
    "clicks": "clicks klicks clics cliques linkclicks",
    "purpose": "purpose consentpurpose consenttype zweck finalite finalidad finalita",
    "legal_basis": "legalbasis lawfulbasis rechtsgrundlage baselegale",
    "jurisdiction": "jurisdiction",
    "proof": "proof evidence consentproof nachweis preuve",
    "opt_in": "optin emailoptin optinemail smsoptin optinsms marketingoptin emailmarketing marketingconsent "
    "acceptsmarketing acceptsemailmarketing emailconsent smsconsent newsletter newsletteroptin newsletterabo consent "
    "consentement werbung werbeeinwilligung einwilligung aceptamarketing consenso consentimento toestemming",
    "free_text": "note notes comment comments remark remarks message body feedback commentaire commentaires bemerkung "
    "bemerkungen kommentar comentario comentarios osservazioni opmerking opmerkingen observacoes",
}
_NOT_PERSONAL = {"salutation", "title", "gender", "region", "country", "language", "locale", "any_name"}
PERSONAL = frozenset(_PEOPLE) - _NOT_PERSONAL | frozenset(_PERSONAL_ONLY)
"""Meanings that are personal data."""
TEXTUAL = frozenset(_PEOPLE) - {"birth_date", "birth_year"} | {"order_id", "product_id", "store_id", "event_id"}
"""Meanings whose values stay text even where they are all digits: leading zeros come, sums make no sense."""

# Words that say whose or which a value is, not what it is.
_NOISE = frozenset(
    "billing shipping delivery invoice home work primary secondary main default customer client contact user person "
    "member cust kunde kunden cliente klant alt other private personal business current sender recipient buyer requester reporter txt fld "
    "value addr bill ship rechnungs liefer c order".split()
)
_DATED = frozenset(_TIMES) | {"birth_date"}
_DATE_WORDS = frozenset("date datum fecha time timestamp datetime dob birthday jour day zeit heure hora".split())
_CODES = frozenset("id ids key no nr num number code ref reference uuid guid sku ean zip nummer numero kennung".split())


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: `dateOfBirth`, `DATE_OF_BIRTH` and `date of birth` are the same three."""
    plain = anyascii(name)
    found = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", plain)
    return tuple(word.lower() for word in found)


def _joined(words: tuple[str, ...]) -> str:
    # Strasse, Straße; Währung, Waehrung: umlauts are written in two ways.
    return re.sub("([aou])e", r"\1", "".join(words))


_MEANINGS = {
    _joined((word,)): meaning
    for group in (_PEOPLE, _PERSONAL_ONLY, _TIMES, _TRADE, _ACTS)
    for meaning, words in group.items()
    for word in words.split()
}


@cache
def meaning_of(name: str) -> str | None:
    """What a column of this name holds; None where the name does not tell."""
    words = words_of(name)
    significant = tuple(w for w in words if w not in _NOISE)
    unnumbered = tuple(w for w in significant if not w.isdigit())
    without_address = tuple(w for w in significant if w not in ("address", "adresse"))
    for candidate in (words, significant, without_address, unnumbered):
        found = _MEANINGS.get(_joined(candidate))
        if found:
            return found
    return None


def is_code(name: str) -> bool:
    """Whether a name says that its values name something: an id, key, number or code."""
    words = words_of(name)
    return bool(words) and (words[-1] in _CODES or words[0] in ("id", "num", "uuid"))


def is_dated(name: str) -> bool:
    """Whether a name speaks of a time."""
    words = words_of(name)
    return meaning_of(name) in _DATED or bool(_DATE_WORDS & set(words)) or (bool(words) and words[-1] in ("at", "on"))
