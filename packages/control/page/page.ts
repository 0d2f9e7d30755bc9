/** The script of the page. The page is whole without it: this adds what changes, the form and the timeline. */
import { startPage } from './start-page.js'

startPage(document)
