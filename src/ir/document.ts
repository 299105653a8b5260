/** Identity of the document that holds a normalised model; schema/model.v1.schema.json describes it. */
export const modelDocumentFormat = "weighbridge-model";
export const modelDocumentVersion = 1;
