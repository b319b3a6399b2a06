"""Sources that were pasted as one run are parted where the evidence decides, and only there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS

from dispatch.errors import SettingsError
from dispatch.readers.fused import Split, Surroundings, items, split
from dispatch.readers.fused.addresses import find_urls
from dispatch.readers.pasted.layout import lines_of
from dispatch.readers.pasted.sources import read_sources
from dispatch.readers.publishers import Publishers

PUBLISHERS = Publishers.load()
ALONE = Surroundings(PUBLISHERS)


def parts(parted: Split) -> tuple[str | None, str, str | None]:
    return parted.publisher, parted.title, parted.url


# Where the evidence decides ----------------------------------------------------------------------

# Publisher, title and address, joined without anything between them. The titles are invented.
# fmt: off
FUSED = [
    # A boundary of letters is not enough, or is not there, or is there twice.
    ("PBS NewsHour", "3-year-old stowaway found asleep on river ferry", "https://www.pbs.org/newshour/nation/3-year-old-stowaway-found-asleep-on-river-ferry"),
    ("Sky News", "NHS pilots paper-free wards in Dunmere", "https://news.sky.com/story/nhs-pilots-paper-free-wards-in-dunmere-13210000"),
    ("El Mundo", "Última llamada para el tren de Orbal", "https://www.elmundo.es/economia/2026/10/04/68e0c1f0fdddff3a.html"),
    ("USA Today", "5 bridges that will not be there next spring", "https://www.usatoday.com/story/news/nation/2026/10/04/bridges-list/8700000/"),
    ("Der Spiegel", "„Das Boot war nie voll“", "https://www.spiegel.de/panorama/das-boot-war-nie-voll-a-1b2c3d4e"),
    ("The New York Times", "Their Town Flooded Twice. They Stayed.", "https://www.nytimes.com/2026/10/04/us/flood-town-stayed.html"),
    ("ABC News", "ABC islands vote on water", "https://abcnews.go.com/International/abc-islands-vote-water/story?id=1234"),
    ("NPR", "Why the last lighthouse went dark", "https://www.npr.org/2026/10/04/nx-s1-5500000/lighthouse-dark"),
    ("BBC", "BBC boss to face members over archive", "https://www.bbc.co.uk/news/entertainment-arts-68000000"),
    ("BBC News", "BBC boss to face members over archive", "https://www.bbc.co.uk/news/articles/c0abc123"),
    ("BBC News", "Harbour wall: what we know", "https://www.bbc.com/news/articles/cx2yz"),
    ("CNN", "iReport returns after ten years", "https://www.cnn.com/2026/10/04/tech/ireport-returns-after-ten-years"),
    ("iNews", "iPhone repairs moved to the islands", "https://inews.co.uk/news/technology/iphone-repairs-moved-islands-100"),
    ("AP News", "AP poll: most want the ferry back", "https://apnews.com/article/ap-poll-ferry-1a2b3c"),
    ("France 24", "G7 leaders agree on grain", "https://www.france24.com/en/europe/20261004-g7-leaders-agree-on-grain"),
    ("9News", "9 boats adrift after storm", "https://www.9news.com.au/national/storm-boats/abc"),
    ("Le Monde", "« Nous n’avons plus de port »", "https://www.lemonde.fr/international/article/2026/10/04/nous-n-avons-plus-de-port_6500000_3210.html"),
    ("朝日新聞", "首相、港の再建を約束", "https://www.asahi.com/articles/ASTB4000.html"),
    ("Al Jazeera", "Al-Marj reopens its market", "https://www.aljazeera.com/news/2026/10/4/al-marj-reopens-its-market"),
    ("The i Paper", "I was the last keeper of the light", "https://inews.co.uk/opinion/i-was-the-last-keeper-of-the-light-4000"),
    ("Bloomberg.com", "Is the harbour bond safe?", "https://www.bloomberg.com/news/articles/2026-10-04/is-the-harbour-bond-safe"),
    ("McClatchy", "McDonald sworn in as harbour judge", "https://www.mcclatchydc.com/news/article100.html"),
    ("McClatchy", "McDonald sworn in as harbour judge", "https://www.mcclatchydc.com/news/mcdonald-sworn-in-as-harbour-judge.html"),
    ("eldiario.es", "El puerto que nadie quiere", "https://www.eldiario.es/economia/puerto-nadie-quiere_1_1000.html"),
    ("Reuters", "Reuters wins case over harbour pictures", "https://www.reuters.com/legal/reuters-wins-case-over-harbour-pictures-2026-10-04/"),
    ("The Verge", "apple farmers go digital", "https://www.theverge.com/2026/10/4/apple-farmers-go-digital"),
    ("The Guardian", "‘It was like a second tide’: the night of the flood", "https://www.theguardian.com/world/2026/oct/04/it-was-like-a-second-tide-the-night-of-the-flood"),
    ("Le Figaro", "«Personne ne dort ici»", "https://www.lefigaro.fr/international/personne-ne-dort-ici-20261004"),
    ("20 Minutes", "20 morts dans un naufrage", "https://www.20minutes.fr/monde/4000-20261004-naufrage"),
    ("BFM TV", "Les ports fermés jusqu’à lundi", "https://www.bfmtv.com/economie/les-ports-fermes_AD-2026.html"),
    ("n-tv", "Ukraine und Orbal einigen sich", "https://www.n-tv.de/politik/Ukraine-und-Orbal-einigen-sich-article1.html"),
    ("tagesschau.de", "Bundestag stimmt über Hafen ab", "https://www.tagesschau.de/inland/bundestag-hafen-100.html"),
    ("GOV.UK", "Foreign secretary statement on the strait", "https://www.gov.uk/government/news/foreign-secretary-statement-on-the-strait"),
    ("World Health Organization", "Cholera situation report 7", "https://www.who.int/publications/m/item/sitrep-7"),
    ("Human Rights Watch", "Orbal: Dockers Held Without Charge", "https://www.hrw.org/news/2026/10/04/orbal-dockers-held-without-charge"),
    ("Süddeutsche Zeitung", "Über den Deich", "https://www.sueddeutsche.de/politik/deich-1.6500"),
    ("Frankfurter Allgemeine", "Zürich baut am Wasser", "https://www.faz.net/aktuell/wirtschaft/zuerich-baut-am-wasser-100.html"),
    ("NHK", "首相 港を視察", "https://www3.nhk.or.jp/news/html/20261004/k1000.html"),
    ("Коммерсантъ", "ЦБ снизил ставку", "https://www.kommersant.ru/doc/7000000"),
    ("الجزيرة", "المرفأ يفتح أبوابه", "https://www.aljazeera.net/news/2026/10/4/x"),
    ("연합뉴스", "부두 다시 열린다", "https://www.yna.co.kr/view/AKR2026"),
    ("HuffPost", "Trump tower plan for island dropped", "https://www.huffpost.com/entry/island-tower_n_1"),
    ("TechCrunch", "OpenGrid raises money for tides", "https://techcrunch.com/2026/10/04/opengrid-raises-money-for-tides/"),
    ("BuzzFeed News", "The Ferry That Went Viral", "https://www.buzzfeednews.com/article/x/ferry"),
    ("MarketWatch", "McDonough shares fall 3%", "https://www.marketwatch.com/story/mcdonough-shares-fall-3-abc"),
    ("YouTube", "LinkedIn founder sails alone", "https://www.youtube.com/watch?v=abc"),
    ("Wikipedia", "2026 Orbal dock strike", "https://en.wikipedia.org/wiki/2026_Orbal_dock_strike"),
    ("Harbour Herald", "Bridge closes for repairs", "https://hh-online.example/news/bridge-closes-for-repairs"),
    ("Bergen Post", "Storm hits the west", "https://bp.example/1234"),
    ("Times of Malta", "Timesheets leaked at port authority", "https://timesofmalta.com/article/timesheets-leaked-at-port-authority.1100"),
    ("The Times of Israel", "Israeli dockers end strike", "https://www.timesofisrael.com/israeli-dockers-end-strike/"),
    ("Time", "The 100 Best Piers", "https://time.com/7000000/best-piers/"),
    ("NBC News", "MSC ship loses 40 containers", "https://www.nbcnews.com/news/world/msc-ship-loses-40-containers-rcna1"),
    ("CBS News", "What’s in the water?", "https://www.cbsnews.com/news/whats-in-the-water/"),
    ("AFP", "ACP bloc seeks grain deal", "https://www.afp.com/en/acp-bloc-seeks-grain-deal"),
    ("DW", "EU agrees on fishing", "https://www.dw.com/en/eu-agrees-on-fishing/a-70000000"),
    ("El País", "¿Quién paga el dique?", "https://elpais.com/economia/2026-10-04/quien-paga-el-dique.html"),
    ("L’Équipe", "L’Orbal perd sa régate", "https://www.lequipe.fr/Voile/Actualites/L-orbal-perd-sa-regate/1"),
    ("Ouest-France", "À Brest, le phare rallumé", "https://www.ouest-france.fr/bretagne/brest/a-brest-le-phare-rallume-1"),
    ("Público", "Portos fechados até segunda", "https://www.publico.pt/2026/10/04/economia/noticia/portos-fechados-1"),
    ("Folha de S.Paulo", "Porto fecha por três dias", "https://www1.folha.uol.com.br/mercado/2026/10/porto-fecha-por-tres-dias.shtml"),
    ("Yeni Safak", "İstanbul'da vapur seferleri iptal", "https://www.yenisafak.com/gundem/istanbulda-vapur-seferleri-iptal-1"),
    ("Gazeta Wyborcza", "Łódź bez portu", "https://wyborcza.pl/7,1,1,lodz-bez-portu.html"),
    ("Dagens Nyheter", "Åtta båtar saknas", "https://www.dn.se/sverige/atta-batar-saknas/"),
    ("Helsingin Sanomat", "Äiti löysi majakan", "https://www.hs.fi/kotimaa/art-2000.html"),
    ("The Hindu", "IIT team maps the delta", "https://www.thehindu.com/news/iit-team-maps-the-delta/article1.ece"),
    ("NDTV", "PM opens sea bridge", "https://www.ndtv.com/india-news/pm-opens-sea-bridge-1"),
    ("+972 Magazine", "The fishermen of the wall", "https://www.972mag.com/fishermen-wall/"),
    ("Yahoo! News", "Why ferries float", "https://news.yahoo.com/why-ferries-float-123.html"),
    ("U.S. Department of State", "Daily Press Briefing – October 4", "https://www.state.gov/briefings/daily-press-briefing-october-4"),
    ("The Harbour Letter", "Why the port matters", "https://harbourletter.substack.com/p/why-the-port-matters"),
    ("Nature", "mRNA shots for coral", "https://www.nature.com/articles/d41586-026-00001-1"),
    ("The Conversation", "eSports in coastal towns", "https://theconversation.com/esports-in-coastal-towns-1"),
    ("Channel 4 News", "Channel crossings fall", "https://www.channel4.com/news/channel-crossings-fall"),
    ("News24", "24 hours on the breakwater", "https://www.news24.com/news24/24-hours-on-the-breakwater-20261004"),
    ("Meduza", "«Мы не уедем»", "https://meduza.io/feature/2026/10/04/my-ne-uedem"),
    ("Xinhua", "China, Orbal sign port deal", "https://english.news.cn/20261004/abc/c.html"),
    ("BBC", "中文網站恢復更新", "https://www.bbc.com/zhongwen/trad/world-1"),
    ("ProPublica", "The Docks Were Never Inspected", "https://www.propublica.org/article/docks-never-inspected"),
    ("Sydney Morning Herald", "Ferries $2 for all", "https://www.smh.com.au/national/ferries-2-for-all-20261004-p5.html"),
    ("The Economist", "#Docks: how a hashtag sank a port", "https://www.economist.com/briefing/2026/10/04/docks"),
    ("Financial Times", "$1bn harbour loan in doubt", "https://www.ft.com/content/1234-abcd"),
    ("Axios", "(Almost) everyone wants the pier", "https://www.axios.com/2026/10/04/almost-everyone-wants-the-pier"),
    ("UN News", "‘Nothing left to trade’: voices from the quay", "https://news.un.org/en/story/2026/10/1"),
    ("STAT", "STAT+: a vaccine for cod", "https://www.statnews.com/2026/10/04/a-vaccine-for-cod/"),
    ("Vox", "Voxels and the art of maps", "https://www.vox.com/culture/voxels-and-the-art-of-maps"),
    ("Metro", "Metrolink trams stop at midnight", "https://metro.co.uk/2026/10/04/metrolink-trams-stop-midnight-1/"),
    ("Haaretz", "Haaretz Wins Prize for Port Series", "https://www.haaretz.com/2026-10-04/haaretz-wins-prize"),
    # Names that are in no list, or written otherwise there, from all over the world.
    ("The Tico Times", "Costa Rica port city tests silent ferries", "https://ticotimes.net/2026/10/02/costa-rica-port-city-tests-silent-ferries"),
    ("The East African", "East Africa’s grain corridor reopens", "https://www.theeastafrican.co.ke/tea/business-tech/east-africa-s-grain-corridor-reopens-4780012"),
    ("Bangor Daily News", "Maine lobster crews want a later start", "https://www.bangordailynews.com/2026/10/01/business/maine-lobster-crews-later-start-joam40zk0w/"),
    ("Stuff", "Why Wellington's sea wall keeps cracking", "https://www.stuff.co.nz/nz-news/360500001/why-wellingtons-sea-wall-keeps-cracking"),
    ("RTL Today", "7 trains cancelled after landslip", "https://today.rtl.lu/news/luxembourg/a/2240001.html"),
    ("Kurier", "Ölpreis steigt den dritten Tag", "https://kurier.at/wirtschaft/oelpreis-steigt-den-dritten-tag/402950000"),
    ("Falter", "„Wir zahlen nicht für Beton“", "https://www.falter.at/zeitung/20261001/wir-zahlen-nicht-fuer-beton"),
    ("Malaysiakini", "MPs query harbour contract", "https://www.malaysiakini.com/news/720001"),
    ("The Daily Star", "8 districts on flood alert", "https://www.thedailystar.net/news/bangladesh/weather/news/8-districts-flood-alert-3720001"),
    ("Prothom Alo", "ঢাকায় নৌকা চলাচল বন্ধ", "https://www.prothomalo.com/bangladesh/abc123"),
    ("Jamaica Gleaner", "Kingston pier to close for a year", "https://jamaica-gleaner.com/article/lead-stories/20261002/kingston-pier-close-year"),
    ("El Faro", "La isla que se quedó sin agua", "https://elfaro.net/es/202610/el_salvador/27500/La-isla-que-se-quedó-sin-agua.htm"),
    ("Agência Brasil", "Governo amplia dragagem no Pará", "https://agenciabrasil.ebc.com.br/economia/noticia/2026-10/governo-amplia-dragagem-no-para"),
    ("Mada Masr", "Fishermen of Lake Burullus file suit", "https://www.madamasr.com/en/2026/10/02/news/u/fishermen-of-lake-burullus-file-suit/"),
    ("The New Arab", "Tunisia's salt lakes draw investors", "https://www.newarab.com/news/tunisias-salt-lakes-draw-investors"),
    ("Addis Standard", "Ethiopia, Djibouti agree on rail tariff", "https://addisstandard.com/ethiopia-djibouti-agree-on-rail-tariff/"),
    ("RÚV", "Ísland hættir hvalveiðum", "https://www.ruv.is/frettir/innlent/2026-10-02-island-haettir-hvalveidum-450001"),
    ("ERR News", "Estonia to heat Narva with sea water", "https://news.err.ee/1609500001/estonia-to-heat-narva-with-sea-water"),
    ("LRT", "Klaipėdos uostas stabdo krovą", "https://www.lrt.lt/naujienos/verslas/4/2380001/klaipedos-uostas-stabdo-krova"),
    ("Telex", "Őszi árvíz a Tiszán", "https://telex.hu/belfold/2026/10/02/oszi-arviz-a-tiszan"),
    ("Seznam Zprávy", "Čeští rejdaři chtějí náhradu", "https://www.seznamzpravy.cz/clanek/ekonomika-cesti-rejdari-chteji-nahradu-260001"),
    ("Denník N", "Úrad zastavil stavbu prístavu", "https://dennikn.sk/4200001/urad-zastavil-stavbu-pristavu/"),
    ("Rzeczpospolita", "Świnoujście czeka na gaz", "https://www.rp.pl/energetyka/art41200001-swinoujscie-czeka-na-gaz"),
    ("TVN24", "Żegluga wstrzymana na Bałtyku", "https://tvn24.pl/polska/zegluga-wstrzymana-na-baltyku-st8120001"),
    ("De Standaard", "‘Antwerpen kan dit niet alleen’", "https://www.standaard.be/cnt/dmf20261002_95000001"),
    ("Het Parool", "IJsselmeer kampt met recordlaag water", "https://www.parool.nl/nederland/ijsselmeer-kampt-met-recordlaag-water~b1234567/"),
    ("Politiken", "Færger sejler ikke søndag", "https://politiken.dk/danmark/art10090001/Færger-sejler-ikke-søndag"),
    ("E24", "LO krever nye ferger", "https://e24.no/norsk-oekonomi/i/abcd12/lo-krever-nye-ferger"),
    ("Belfast Telegraph", "DUP leader walks out of harbour talks", "https://www.belfasttelegraph.co.uk/news/politics/dup-leader-walks-out-of-harbour-talks/a100000001.html"),
    ("openDemocracy", "How a fishing village stopped a mine", "https://www.opendemocracy.net/en/how-a-fishing-village-stopped-a-mine/"),
    ("Bellingcat", "Tracking the Ghost Tankers of the Aegean", "https://www.bellingcat.com/news/2026/10/02/tracking-the-ghost-tankers-of-the-aegean/"),
    ("Rest of World", "WhatsApp runs this market", "https://restofworld.org/2026/whatsapp-market/"),
    ("Inside Climate News", "EPA drops coastal rule", "https://insideclimatenews.org/news/02102026/epa-drops-coastal-rule/"),
    ("The 19th", "19 governors sign midwife pledge", "https://19thnews.org/2026/10/19-governors-sign-midwife-pledge/"),
    ("Ars Technica", "iFixit tears down a ferry radar", "https://arstechnica.com/gadgets/2026/10/ifixit-tears-down-a-ferry-radar/"),
    ("404 Media", "404 errors hit port scheduling", "https://www.404media.co/404-errors-hit-port-scheduling/"),
    ("Engadget", "eBikes get a kill switch", "https://www.engadget.com/transportation/ebikes-get-a-kill-switch-120000123.html"),
    ("澎湃新闻", "上海港恢复夜间作业", "https://www.thepaper.cn/newsDetail_forward_29000001"),
    ("産経新聞", "台風で離島航路が欠航", "https://www.sankei.com/article/20261002-ABC/"),
    ("한국경제", "부산항 물동량 급증", "https://www.hankyung.com/article/2026100200001"),
    ("Lenta.ru", "«Порт не откроют до зимы»", "https://lenta.ru/news/2026/10/02/port/"),
    ("Ведомости", "РЖД поднимает тарифы", "https://www.vedomosti.ru/business/articles/2026/10/02/rzhd-podnimaet-tarifi"),
    ("Annahar", "بيروت تنتظر الباخرة", "https://www.annahar.com/lebanon/politics/250001"),
    ("Kathmandu Post", "KP Oli returns to flooded valley", "https://kathmandupost.com/national/2026/10/02/kp-oli-returns-to-flooded-valley"),
    ("Daily Trust", "NNPC explains fuel barge delay", "https://dailytrust.com/nnpc-explains-fuel-barge-delay/"),
    ("Mail Online", "McVey heckled at pier opening", "https://www.dailymail.co.uk/news/article-15000001/McVey-heckled-pier-opening.html"),
    ("The Sun", "SUNK COST Pier show axed after flop", "https://www.thesun.co.uk/news/36000001/pier-show-axed/"),
    ("Corriere della Sera", "È morto il guardiano del faro", "https://www.corriere.it/cronache/26_ottobre_02/morto-guardiano-faro-1a2b.shtml"),
    ("la Repubblica", "L’isola senza medico", "https://www.repubblica.it/cronaca/2026/10/02/news/isola_senza_medico-423000001/"),
    ("Les Échos", "L’électricité repart à la hausse", "https://www.lesechos.fr/industrie-services/energie-environnement/lelectricite-repart-a-la-hausse-2100001"),
    ("Mediapart", "À Calais, « on ne dort plus »", "https://www.mediapart.fr/journal/france/021026/calais-ne-dort-plus"),
    ("Heise online", "5G-Netz für Fähren", "https://www.heise.de/news/5G-Netz-fuer-Faehren-10700001.html"),
    ("Neue Zürcher Zeitung", "Der Rhein führt kaum Wasser", "https://www.nzz.ch/wirtschaft/der-rhein-fuehrt-kaum-wasser-ld.1900001"),
    ("La Vanguardia", "El port de Tarragona, paralitzat", "https://www.lavanguardia.com/economia/20261002/11120001/port-tarragona-paralitzat.html"),
    ("Clarín", "YPF halla gas frente a Mar del Plata", "https://www.clarin.com/economia/ypf-halla-gas-frente-mar-plata_0_abc.html"),
    ("European Central Bank", "Monetary policy decisions", "https://www.ecb.europa.eu/press/pr/date/2026/html/ecb.mp261002.en.html"),
    ("International Maritime Organization", "MEPC 86 agrees levy", "https://www.imo.org/en/mediacentre/pages/mepc86.aspx"),
    ("Johns Hopkins University", "Study: sea air and sleep", "https://hub.jhu.edu/2026/10/02/sea-air-and-sleep/"),
    ("NOAA", "NOAA names new chief of tides", "https://www.noaa.gov/news-release/noaa-names-new-chief-of-tides"),
    ("Lloyd's List", "VLCC rates double in a week", "https://www.lloydslist.com/LL1155001/VLCC-rates-double-in-a-week"),
    ("Bloomberg Línea", "Chile licita cinco puertos secos", "https://www.bloomberglinea.com/2026/10/03/chile-licita-cinco-puertos-secos/"),
    ("The Washington Post", "They sold the beach. Then the tide came.", "https://www.washingtonpost.com/climate-environment/2026/10/03/beach-sale-tide/"),
    ("NBC Sports", "NHL moves opener to Bergen", "https://www.nbcsports.com/nhl/news/nhl-moves-opener-to-bergen"),
    ("Deutsche Welle", "EU-Gipfel vertagt Fischereistreit", "https://www.dw.com/de/eu-gipfel-vertagt-fischereistreit/a-71000001"),
    ("Business Insider", "I quit banking to run a lighthouse", "https://www.businessinsider.com/quit-banking-lighthouse-2026-10"),
    ("Euronews", "Euronews poll: half would pay ferry tax", "https://www.euronews.com/my-europe/2026/10/03/euronews-poll-half-would-pay-ferry-tax"),
    ("Newsweek", "Map shows 12 ports at risk", "https://www.newsweek.com/map-shows-ports-risk-2100001"),
    ("The Irish Times", "TDs to vote on harbour levy", "https://www.irishtimes.com/politics/2026/10/03/tds-to-vote-on-harbour-levy/"),
    ("Global Voices", "Who owns the mangroves?", "https://globalvoices.org/2026/10/03/who-owns-the-mangroves/"),
    ("Radio Free Asia", "Cambodian fishers jailed", "https://www.rfa.org/english/cambodia/2026/10/03/fishers-jailed/"),
    ("Christianity Today", "A chapel made of driftwood", "https://www.christianitytoday.com/2026/10/chapel-driftwood/"),
    ("TechRadar", "USB-C for boats is here", "https://www.techradar.com/computing/usb-c-for-boats-is-here"),
    ("Vice", "DMT and the deep sea", "https://www.vice.com/en/article/dmt-and-the-deep-sea/"),
    ("GIGAZINE", "海上発電所が完成", "https://gigazine.net/news/20261003-power/"),
    ("El Espectador", "¡Se hundió el muelle!", "https://www.elespectador.com/bogota/se-hundio-el-muelle/"),
    ("O Globo", "Ressaca fecha orla do Rio", "https://oglobo.globo.com/rio/noticia/2026/10/03/ressaca-fecha-orla-do-rio.ghtml"),
    ("Berliner Zeitung", "BVG stellt Fähre ein", "https://www.berliner-zeitung.de/mensch-metropole/bvg-stellt-faehre-ein-li.2400001"),
    ("Hamburger Abendblatt", "HHLA baut 200 Stellen ab", "https://www.abendblatt.de/wirtschaft/article410000001/hhla-baut-200-stellen-ab.html"),
    ("Le Télégramme", "Brest : le pont fermé", "https://www.letelegramme.fr/finistere/brest/brest-le-pont-ferme-6900001.php"),
    ("La Voix du Nord", "Un ferry percute la jetée", "https://www.lavoixdunord.fr/1600001/article/2026-10-03/un-ferry-percute-la-jetee"),
    ("Sveriges Radio", "SJ ställer in nattåg", "https://www.sverigesradio.se/artikel/sj-staller-in-nattag"),
    ("ABC News", "7 rescued off Tasmania", "https://www.abc.net.au/news/2026-10-03/tas-rescue/105000001"),
    ("Scroll.in", "In Kerala, a bridge to nowhere", "https://scroll.in/article/1080001/in-kerala-a-bridge-to-nowhere"),
    ("The Print", "DRDO tests sea drone", "https://theprint.in/defence/drdo-tests-sea-drone/2700001/"),
    ("Trouw", "‘Zonder dijk geen dorp’", "https://www.trouw.nl/duurzaamheid-economie/zonder-dijk-geen-dorp~b7654321/"),
    ("Publico", "El ferri de Ibiza vuelve", "https://www.publico.es/economia/ferri-ibiza-vuelve.html"),
    ("Digi24", "Portul Constanța, blocat", "https://www.digi24.ro/stiri/economie/portul-constanta-blocat-3400001"),
    ("N1", "EU traži novu luku", "https://n1info.rs/biznis/eu-trazi-novu-luku/"),
    ("24sata", "2 broda nasukana kod Visa", "https://www.24sata.hr/news/2-broda-nasukana-kod-visa-1000001"),
    ("Protothema", "ΔΕΗ: νέο καλώδιο", "https://www.protothema.gr/economy/article/1700001/dei-neo-kalodio/"),
    ("UNICEF", "UNICEF ships 40 boats of vaccine", "https://www.unicef.org/press-releases/unicef-ships-40-boats-vaccine"),
    ("US Coast Guard", "Coast Guard ends search", "https://www.news.uscg.mil/Press-Releases/Article/4300001/coast-guard-ends-search/"),
    ("Maritime Executive", "LNG Carrier Aground off Java", "https://maritime-executive.com/article/lng-carrier-aground-off-java"),
    ("gCaptain", "MSC Adds 12 Ships", "https://gcaptain.com/msc-adds-12-ships/"),
    ("Al-Ahram Weekly", "Egypt revives its river buses", "https://english.ahram.org.eg/News/540001.aspx"),
    ("L'Orient Today", "Beirut port silos: six years on", "https://today.lorientlejour.com/article/1430001/beirut-port-silos-six-years-on.html"),
    ("The Phnom Penh Post", "ASEAN ministers back Mekong hotline", "https://www.phnompenhpost.com/national/asean-ministers-back-mekong-hotline"),
    ("VnExpress International", "Ha Long ferries halt for Typhoon Ragasa", "https://e.vnexpress.net/news/news/ha-long-ferries-halt-4940001.html"),
    ("The Jakarta Globe", "KPK raids port operator", "https://jakartaglobe.id/news/kpk-raids-port-operator"),
    ("ABS-CBN News", "PAGASA lifts storm signals", "https://www.abs-cbn.com/news/weather-traffic/2026/10/3/pagasa-lifts-storm-signals-1200"),
    ("Philstar", "12 missing after bangka capsizes", "https://www.philstar.com/nation/2026/10/03/2470001/12-missing-after-bangka-capsizes"),
    ("The Express Tribune", "PTI calls off Karachi sit-in", "https://tribune.com.pk/story/2560001/pti-calls-off-karachi-sit-in"),
    ("Geo News", "KPT chairman removed", "https://www.geo.tv/latest/620001-kpt-chairman-removed"),
    ("TOLOnews", "IEA, Uzbekistan discuss canal", "https://tolonews.com/business-190001"),
    ("The New Humanitarian", "What’s behind the Sahel floods?", "https://www.thenewhumanitarian.org/analysis/2026/10/03/whats-behind-sahel-floods"),
    ("Jeune Afrique", "Dakar : le port change de mains", "https://www.jeuneafrique.com/1600001/economie-entreprises/dakar-le-port-change-de-mains/"),
    ("Seneweb", "3 pirogues interceptées à Mbour", "https://www.seneweb.com/news/Immigration/3-pirogues-interceptees-a-mbour_n_450001.html"),
    ("Business Day", "SA’s ports agency names CEO", "https://www.businessday.co.za/bd/economy/2026-10-03-sas-ports-agency-names-ceo/"),
    ("GroundUp", "Langa residents block N2", "https://groundup.org.za/article/langa-residents-block-n2/"),
    ("Mongabay", "Seagrass returns to Zanzibar", "https://news.mongabay.com/2026/10/seagrass-returns-to-zanzibar/"),
    ("Hakai Magazine", "The Kelp Whisperers", "https://hakaimagazine.com/features/the-kelp-whisperers/"),
    ("CBC Radio", "As It Happens: the whale that stayed", "https://www.cbc.ca/radio/asithappens/whale-stayed-1.7500001"),
    ("CityNews", "TTC ferry fares to double", "https://toronto.citynews.ca/2026/10/03/ttc-ferry-fares-to-double/"),
    ("Halifax Examiner", "The Sewage Spill Nobody Reported", "https://www.halifaxexaminer.ca/environment/the-sewage-spill-nobody-reported/"),
    ("Tampa Bay Times", "Will the Skyway reopen Sunday?", "https://www.tampabay.com/news/transportation/2026/10/03/will-skyway-reopen-sunday/"),
    ("The Oregonian", "I-5 bridge tolls start in April", "https://www.oregonlive.com/commuting/2026/10/i-5-bridge-tolls-start-in-april.html"),
    ("OPB", "Salmon return to the Klamath", "https://www.opb.org/article/2026/10/03/salmon-return-to-klamath/"),
    ("KQED", "BART adds ferry shuttles", "https://www.kqed.org/news/12050001/bart-adds-ferry-shuttles"),
    ("WBUR", "MBTA ferry runs aground", "https://www.wbur.org/news/2026/10/03/mbta-ferry-runs-aground"),
    ("The Texas Tribune", "UT study: coast sinking faster", "https://www.texastribune.org/2026/10/03/texas-coast-sinking/"),
    ("Honolulu Civil Beat", "Maui’s Harbor Problem", "https://www.civilbeat.org/2026/10/mauis-harbor-problem/"),
    ("The Nation", "‘They Treated Us Like Cargo’", "https://www.thenation.com/article/world/they-treated-us-like-cargo/"),
    ("Jacobin", "Dockworkers Can Win Again", "https://jacobin.com/2026/10/dockworkers-can-win-again"),
    ("Reason", "Jones Act waivers, explained", "https://reason.com/2026/10/03/jones-act-waivers-explained/"),
    ("Quanta Magazine", "A Proof Washes Ashore", "https://www.quantamagazine.org/a-proof-washes-ashore-20261003/"),
    ("Live Science", "500-year-old anchor found", "https://www.livescience.com/archaeology/500-year-old-anchor-found"),
    ("Popular Mechanics", "USS Orbal Is Finally Home", "https://www.popularmechanics.com/military/navy-ships/a70000001/uss-orbal/"),
    ("The Register", "UK's tide tables run on VB6", "https://www.theregister.com/2026/10/03/uk_tide_tables_vb6/"),
    ("El Periódico de Aragón", "El Ebro, a un metro del aviso", "https://www.elperiodicodearagon.com/aragon/2026/10/03/ebro-metro-aviso-120000001.html"),
    ("La Voz de Galicia", "As mariscadoras volven á ría", "https://www.lavozdegalicia.es/noticia/mariscadoras-volven-ria/1.htm"),
    ("Diari ARA", "El ferri de Menorca, a judici", "https://www.ara.cat/economia/ferri-menorca-judici_1_5200001.html"),
    ("Página/12", "El puerto y sus fantasmas", "https://www.pagina12.com.ar/860001-el-puerto-y-sus-fantasmas"),
    ("Animal Político", "¿Quién cuida el malecón?", "https://animalpolitico.com/estados/quien-cuida-malecon"),
    ("Nexo Jornal", "O que é a ressaca do mar", "https://www.nexojornal.com.br/expresso/2026/10/03/o-que-e-a-ressaca-do-mar"),
    ("Observador", "TAP cancela voos para o Porto", "https://observador.pt/2026/10/03/tap-cancela-voos-para-o-porto/"),
    ("Il Fatto Quotidiano", "Ponte sullo Stretto, nuovo rinvio", "https://www.ilfattoquotidiano.it/2026/10/03/ponte-sullo-stretto-nuovo-rinvio/8100001/"),
    ("Rai News", "A Genova chiude il bacino", "https://www.rainews.it/articoli/2026/10/a-genova-chiude-il-bacino-1a2b.html"),
    ("RTÉ", "Storm Ita closes Rosslare", "https://www.rte.ie/news/2026/1003/1550001-storm-ita/"),
    ("WalesOnline", "A55 shut after lorry fire", "https://www.walesonline.co.uk/news/wales-news/a55-shut-after-lorry-fire-32000001"),
    ("Byline Times", "The PPE Ships That Never Sailed", "https://bylinetimes.com/2026/10/03/the-ppe-ships-that-never-sailed/"),
    ("Der Freitag", "Ebbe im Kopf", "https://www.freitag.de/autoren/der-freitag/ebbe-im-kopf"),
    ("Correctiv", "CO₂-Deponie unter dem Watt", "https://correctiv.org/aktuelles/2026/10/03/co2-deponie-unter-dem-watt/"),
    ("Tages-Anzeiger", "SBB streicht Nachtzüge", "https://www.tagesanzeiger.ch/sbb-streicht-nachtzuege-123456789012"),
    ("Aargauer Zeitung", "Aare-Badi bleibt zu", "https://www.aargauerzeitung.ch/aargau/aare-badi-bleibt-zu-ld.2700001"),
    ("De Tijd", "Haven van Gent zoekt dokwerkers", "https://www.tijd.be/ondernemen/logistiek/haven-van-gent-zoekt-dokwerkers/10600001.html"),
    ("Omroep Zeeland", "Veerdienst Breskens gestremd", "https://www.omroepzeeland.nl/nieuws/18000001/veerdienst-breskens-gestremd"),
    ("Bergens Tidende", "BT mener: Lukk kaien", "https://www.bt.no/btmeninger/leder/i/abc123/bt-mener-lukk-kaien"),
    ("Göteborgs-Posten", "Älvsnabben ställs in", "https://www.gp.se/nyheter/goteborg/alvsnabben-stalls-in.1a2b"),
    ("Delfi", "Klaipėdoje užsidegė laivas", "https://www.delfi.lt/news/daily/lithuania/klaipedoje-uzsidege-laivas-120000001"),
    ("Hromadske", "Одеський порт знову працює", "https://hromadske.ua/ekonomika/250001-odeskyy-port-znovu-pratsyuye"),
    ("Фонтанка.ру", "На Неве закрыли навигацию", "https://www.fontanka.ru/2026/10/03/74000001/"),
    ("時事通信", "離島航路、全便欠航", "https://www.jiji.com/jc/article?k=2026100300001"),
]
# fmt: on


@pytest.mark.parametrize(
    ("publisher", "title", "url"), FUSED, ids=[row[0] + ": " + row[1] for row in FUSED]
)
def test_publisher_title_and_address_are_parted(publisher: str, title: str, url: str) -> None:
    parted = split(f"{publisher}{title}{url}", ALONE)
    assert parts(parted) == (publisher, title, url)
    assert not parted.doubt


@pytest.mark.parametrize(
    ("publisher", "title"),
    [
        ("Sky News", "NHS pilots paper-free wards"),
        ("El Mundo", "Última llamada para el tren"),
        ("USA Today", "5 bridges to see"),
        ("PBS NewsHour", "3-year-old found on ferry"),
        ("Der Spiegel", "„Das Boot war nie voll“"),
        ("The New York Times", "Their town flooded twice"),
        ("Reuters", "Oil steadies as strait reopens"),
        ("Коммерсантъ", "ЦБ снизил ставку"),
    ],
)
def test_a_well_known_name_is_enough_without_an_address(publisher: str, title: str) -> None:
    assert parts(split(publisher + title, ALONE)) == (publisher, title, None)


H = "https://example.org/harbour-reopens-after-storm"
T = "Harbour reopens after storm"
W = "Example Wire"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{W} - {T} {H}", (W, T, H)),
        (f"{W} | {T} | {H}", (W, T, H)),
        (f"{W}: {T}: {H}", (W, T, H)),
        (f"{W} — {T} — {H}", (W, T, H)),
        (f"{W}\t{T}\t{H}", (W, T, H)),
        (f"{W}\n{T}\n{H}", (W, T, H)),
        (f"{W}  {T}  {H}", (W, T, H)),
        (f"{T} | {W} {H}", (W, T, H)),
        (f"{T} - {W} {H}", (W, T, H)),
        (f"{T} ({W}) {H}", (W, T, H)),
        (f"“{T}” ({W})", (W, f"“{T}”", None)),
        (f"{W}, “{T}”, {H}", (W, f"“{T}”", H)),
        (f"Reuters, “{T}”", ("Reuters", f"“{T}”", None)),
        (f"Reuters: {T}", ("Reuters", T, None)),
        (f"{T} - Reuters", ("Reuters", T, None)),
        (f"{T} (Reuters)", ("Reuters", T, None)),
        (f"Foo Bar | {T}", ("Foo Bar", T, None)),
        (
            "新华社：港口重开 https://www.news.cn/20261004/c.html",
            ("新华社", "港口重开", "https://www.news.cn/20261004/c.html"),
        ),
        (f"[{T}]({H})", (None, T, H)),
        (f"{W}: [{T}]({H})", (W, T, H)),
        (f"[{T}]({H}) – {W}", (W, T, H)),
        (f"[{T}]({H}) ({W}).", (W, T, H)),
        (f"[Reuters{T}]({H})", ("Reuters", T, H)),
        (f"{H} {W} - {T}", (W, T, H)),
        (f"{H} {W}{T}", (W, T, H)),
        (f"{T}Reuters{H}", ("Reuters", T, H)),
        (f"{W}{T} ({H}).", (W, T, H)),
        (f"{W}{T} <{H}>", (W, T, H)),
        (f"{W}{T}{H} (seen on 3 May)", (W, f"{T} (seen on 3 May)", H)),
        (
            f"{W}{T}https://example.org/wiki/Harbour_(Orbal)",
            (W, T, "https://example.org/wiki/Harbour_(Orbal)"),
        ),
        (f"{T} {H}", (None, T, H)),
        (H, (None, H, H)),
        ("https://", (None, "https://", None)),
        ("http://[::1 is broken", (None, "http://[::1 is broken", None)),
        (
            f"{T} https://web.archive.org/web/2026/{H}",
            (None, T, f"https://web.archive.org/web/2026/{H}"),
        ),
    ],
)
def test_other_ways_of_writing_a_source(
    line: str, expected: tuple[str | None, str, str | None]
) -> None:
    parted = split(line, ALONE)
    assert parts(parted) == expected
    assert parted.joined() == line


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        (f"A {H} B {H}.", (f"A {H} ", f"B {H}.")),
        (f"{H} A {H} B", (f"{H} A ", f"{H} B")),
        (f"A{H}{H}", (f"A{H}", H)),
        (f"A {H} B", (f"A {H} B",)),
        ("A", ("A",)),
    ],
)
def test_several_addresses_on_a_line_are_several_items(line: str, pieces: tuple[str, ...]) -> None:
    assert items(line) == pieces


# Where it does not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("BBC boss quits after row", "https://www.bbc.co.uk/news/bbc-boss-quits-after-row-1"),
        (
            "SkyWest jets touch on the ground",
            "https://news.sky.com/story/skywest-jets-touch-on-the-ground-1",
        ),
        (
            "How BioNTech beat the tide",
            "https://www.statnews.com/2026/10/04/how-biontech-beat-the-tide/",
        ),
        ("USA Today wins port prize", "https://www.usatoday.com/story/usa-today-wins-port-prize/1"),
        (
            "McDonald sworn in as harbour judge",
            "https://court.example/mcdonald-sworn-in-as-harbour-judge",
        ),
        (
            "UN: 3 million need boats",
            "https://news.un.org/en/story/2026/10/un-3-million-need-boats",
        ),
        ("Middle East crossing: latest news", "https://example.org/news/middle-east-crossing"),
        ("Spiegel-Umfrage: Mehrheit für den Deich", "https://www.spiegel.de/politik/umfrage-a-1"),
        ("Guardian angels of the pier", "https://www.theguardian.com/p/abc"),
        ("Time to move the port", "https://time.com/7100000/"),
        ("SoundCloud rapper sails home", "https://music.example/1234"),
        ("From eBay to eTrade: a history", "https://example.org/p?id=9"),
        ("Treaty No. 7 (1901)", "https://archive.example/t7"),
        (
            "Smith J, Jones K. Tides and towns. Harbour Studies 2026;12:34.",
            "https://doi.org/10.1000/xyz123",
        ),
        ("Why we sail: a review", ""),
        ("YouTube star rows the Atlantic", ""),
        ("McKinsey report on docks", ""),
    ],
)
def test_a_title_alone_stays_whole_without_a_doubt(text: str, url: str) -> None:
    parted = split(text + url, ALONE)
    assert parts(parted) == (None, text, url or None)
    assert not parted.doubt


@pytest.mark.parametrize(
    ("text", "alternative"),
    [
        (
            "Harbour HeraldBridge closes for repairs",
            "“Harbour Herald” and “Bridge closes for repairs”",
        ),
        ("NPRWhy the lighthouse went dark", "“NPR” and “Why the lighthouse went dark”"),
        ("TimeWarner sued over pier", "“Time” and “Warner sued over pier”"),
        ("朝日新聞首相、港の再建を約束", "“朝日新聞” and “首相、港の再建を約束”"),
        ("澎湃時報上海港恢复夜间作业", "“澎湃時報” and “上海港恢复夜间作业”"),
        ("Riverside Gazette — Bridge closes", "“Riverside Gazette” and “Bridge closes”"),
        (
            "BBC News Harbour wall: what we know https://www.bbc.co.uk/news/1",
            "“BBC News” and “Harbour wall: what we know”",
        ),
    ],
)
def test_in_doubt_the_text_stays_whole_and_the_alternatives_are_told(
    text: str, alternative: str
) -> None:
    parted = split(text, ALONE)
    assert parted.publisher is None
    assert text.startswith(parted.title)
    assert parted.doubt[0].startswith(alternative)


def test_each_kind_of_evidence_can_decide_a_doubt(tmp_path: Path) -> None:
    line = "Harbour HeraldBridge closes for repairs"
    assert split(line, ALONE).publisher is None
    by_address = split(f"{line} https://example.org/bridge-closes-for-repairs", ALONE)
    by_host = split(f"{line} https://harbourherald.example/1", ALONE)
    by_body = split(
        line, Surroundings(PUBLISHERS, body="As the Harbour Herald reported on Friday.")
    )
    by_siblings = split(line, Surroundings(PUBLISHERS, siblings={("", "Harbour Herald"): 2}))
    own = tmp_path / "publishers.toml"
    own.write_text('[publishers]\n"hh.example" = ["Harbour Herald"]\n')
    by_list = split(line, Surroundings(Publishers.load(own)))
    for parted in (by_address, by_host, by_body, by_siblings, by_list):
        assert (parted.publisher, parted.title) == ("Harbour Herald", "Bridge closes for repairs")


def test_a_name_inside_a_longer_word_is_no_mention() -> None:
    around = Surroundings(PUBLISHERS, body="The Harbour Heralds sang; XHarbour Herald did not.")
    assert split("Harbour HeraldBridge closes for repairs", around).publisher is None


# No letter is lost -------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["Reuters", "Sky News", "Harbour Herald", "n-tv", "朝日新聞", "[x](", "“", "A", ""]
)
SEAMS = st.sampled_from(
    ["", " ", " - ", " | ", ": ", "\t", "  ", "\n", " — ", "(", ") ", "](", "[", "."]
)
ADDRESSES = st.sampled_from(
    [
        "",
        H,
        "HTTPS://EXAMPLE.ORG/(a",
        "http://",
        "https://例え.jp/港",
        "https://a.b/c?d=https://e.f",
    ]
)
LINES = st.lists(st.one_of(NAMES, SEAMS, ADDRESSES, st.text(max_size=12)), max_size=7).map("".join)


@settings(derandomize=True, max_examples=500)
@given(LINES)
@example(f"- {W}{T}{H}")
@example("[a](https://b.c)[d](https://e.f)")
def test_the_parts_joined_again_are_the_line(line: str) -> None:
    pieces = items(line)
    assert "".join(pieces) == line
    for piece in pieces:
        parted = split(piece, ALONE)
        assert parted.joined() == piece
        letters = "".join(filter(str.isalnum, piece))
        kept = [part.text for part in parted.parts if part.kind != "seam"]
        assert "".join(filter(str.isalnum, "".join(kept))) == letters


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(FUSED), SEAMS)
def test_without_a_delimiter_publisher_title_and_address_are_the_whole_line(
    row: tuple[str, str, str], seam: str
) -> None:
    publisher, title, url = row
    line = publisher + title + url
    parted = split(line, ALONE)
    assert (parted.publisher or "") + parted.title + (parted.url or "") == line
    assert split(publisher + seam + title + url, ALONE).joined() == publisher + seam + title + url


@pytest.mark.parametrize(
    "line",
    ["a" * 100_000, "Ab" * 50_000, "a " * 50_000, "- " * 50_000, "“" * 100_000, "朝" * 100_000, "(a" * 50_000,
     "https://a.b/" + "x-" * 50_000, "https://a.b/" + ")" * 100_000, "https://" * 12_000, "a\t" * 50_000,
     "[" * 100_000, f"A {H} " * 1_000],
    ids=lambda line: line[:12],
)  # fmt: skip
def test_a_line_without_end_takes_no_time(line: str) -> None:
    started = time.process_time()
    for piece in items(line):
        split(piece, ALONE)
    assert time.process_time() - started < CPU_SECONDS


# The list ----------------------------------------------------------------------------------------


def listed(text: str, body: str = "") -> list[tuple[str | None, str, str | None]]:
    sources, _ = read_sources(lines_of(text), PUBLISHERS, body)
    return [(source.publisher, source.title, source.url) for source in sources]


@pytest.mark.parametrize(
    "text",
    [
        f"- {W}{T}{H}\n- Reuters{T}{H}",
        f"• {W}{T}{H}\n• Reuters{T}{H}",
        f"•{W}{T}{H}\n•Reuters{T}{H}",
        f"* {W}{T}{H}\n\n* Reuters{T}{H}",
        f"1. {W}{T}{H}\n2. Reuters{T}{H}",
        f"1) {W}{T}{H}\n2) Reuters{T}{H}",
        f"[1] {W}{T}{H}\n[2] Reuters{T}{H}",
        f"{W}{T}{H}\nReuters{T}{H}",
        f"{W}\n{T}\n{H}\nReuters\n{T}\n{H}",
        f"{W}\n{T}\n{H}\n\nReuters\n{T}\n{H}",
        f"- {W}\n  {T}\n  {H}\n- Reuters\n  {T}\n  {H}",
        f"- {W}{T}\n  {H}\n- Reuters{T}\n  {H}",
        f"{W}{T}{H} Reuters{T}{H}",
    ],
)
def test_however_a_list_is_written(text: str) -> None:
    assert listed(text) == [(W, T, H), ("Reuters", T, H)]


def test_a_title_that_starts_with_a_number_is_no_numbered_list() -> None:
    assert listed("7. Oktober: Was geschah\n2026. Das Jahr") == [
        (None, "7. Oktober: Was geschah", None),
        (None, "2026. Das Jahr", None),
    ]


def test_sources_without_an_address_have_a_line_each() -> None:
    assert listed("Harbour board minutes\nTide tables 2026") == [
        (None, "Harbour board minutes", None),
        (None, "Tide tables 2026", None),
    ]


def test_a_line_above_an_address_is_its_title_and_one_above_that_a_publisher_or_a_source() -> None:
    assert listed(f"Orbal Circle\nTide tables\n{H}") == [(None, "Orbal Circle Tide tables", H)]
    assert listed(f"Board minutes of 3 October\nTide tables\n{H}") == [
        (None, "Board minutes of 3 October", None),
        (None, "Tide tables", H),
    ]


def test_a_title_that_was_wrapped_is_one_title() -> None:
    text = f"- The long history of the harbour wall and of those who\n  built it twice {H[:20]}/x"
    assert (
        listed(text)[0][1] == "The long history of the harbour wall and of those who built it twice"
    )


def test_sources_of_one_publisher_help_each_other() -> None:
    one = "Harbour HeraldBridge closes https://news.example/1"
    other = "Harbour HeraldPier opens https://news.example/2"
    assert listed(one)[0][0] is None
    assert [row[0] for row in listed(f"{one}\n{other}")] == ["Harbour Herald", "Harbour Herald"]


def test_a_doubt_becomes_a_warning_that_names_the_line() -> None:
    lines = lines_of("\n\n- Harbour HeraldBridge closes for repairs")
    sources, notes = read_sources(lines, PUBLISHERS, "")
    assert [source.title for source in sources] == ["Harbour HeraldBridge closes for repairs"]
    assert [(note.level, note.where) for note in notes] == [("warning", "line 3")]
    assert "It may be “Harbour Herald” and “Bridge closes for repairs”" in notes[0].message
    assert "Write “ | ” between the two." in notes[0].message
    advised = "- Harbour Herald | Bridge closes for repairs"
    assert listed(advised) == [("Harbour Herald", "Bridge closes for repairs", None)]


def test_thousands_of_sources_take_no_time() -> None:
    started = time.process_time()
    assert len(listed(f"- {W}{T} {H}\n" * 3_000)) == 3_000
    assert time.process_time() - started < CPU_SECONDS


# Addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/a.", ["https://example.org/a"]),
        ("(https://example.org/a_(b))", ["https://example.org/a_(b)"]),
        ("titlehttps://example.org/a?b=c&d=e#f", ["https://example.org/a?b=c&d=e#f"]),
        ("https://a.example/xhttps://b.example/y", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/?u=https://b.example/", ["https://a.example/?u=https://b.example/"]),
        ("https://例え.jp/港。次", ["https://例え.jp/港"]),
        ("ftp://example.org javascript:alert(1) http:// https://?", []),
    ],
)
def test_addresses_end_where_the_sentence_goes_on(text: str, urls: list[str]) -> None:
    assert [text[start:end] for start, end in find_urls(text)] == urls


# The list of publishers --------------------------------------------------------------------------


def test_a_newsroom_adds_to_the_list(tmp_path: Path) -> None:
    own = tmp_path / "publishers.toml"
    own.write_text(
        'desks = ["Harbourside"]\n[publishers]\n"WWW.reuters.com/" = ["Reuters Plus"]\n'
        '"hh.example/paper" = ["Harbour Herald"]\n',
        encoding="utf-8",
    )
    known = Publishers.load(own)
    assert "harbourside" in known.desks
    assert "world" in known.desks
    assert known.publishes_at("Reuters", "www.reuters.com", "/")
    assert known.publishes_at("REUTERS plus", "reuters.com", "/")
    assert known.publishes_at("Harbour Herald", "hh.example", "/paper/1")
    assert not known.publishes_at("Harbour Herald", "hh.example", "/papers/1")
    assert not known.publishes_at("Reuters", "notreuters.com", "/")


def test_a_list_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert Publishers.load(tmp_path / "none.toml").sites == PUBLISHERS.sites


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"publishers = ", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"publishers = 3", "write each publisher as its host and a list of its names"),
        (b'[publishers]\n"a.example" = "A"', "write each publisher as its host"),
        (b"desks = [1]", "write desks as a list of texts"),
    ],
)
def test_a_list_that_is_broken_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    own = tmp_path / "publishers.toml"
    own.write_bytes(content)
    with pytest.raises(SettingsError, match=problem) as caught:
        Publishers.load(own)
    assert str(own) in str(caught.value)
